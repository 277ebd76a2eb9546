import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { completenessOf } from '../../src/packaging/completeness.ts'
import { messagesFor } from '../../src/packaging/messages.ts'
import type { AdapterStatus, PackagedOutcome } from '../../src/packaging/package-input.ts'
import { adapter, dataset } from '../support/package-builder.ts'

const messages = messagesFor('en')
const of = (...adapters: ReturnType<typeof adapter>[]) => completenessOf(adapters, messages)

const ANSWERS: AdapterStatus[] = ['answered', 'unknown_person', 'holds_nothing', 'nothing_portable', 'nothing_asked_for']
const SILENCES: AdapterStatus[] = ['suspended', 'failed', 'not_answered']
const WHOLE: PackagedOutcome[] = ['completed', 'no_data', 'not_portable', 'not_asked_for']
const SHORT: PackagedOutcome[] = ['partially_completed', 'retained', 'not_supported', 'refused', 'failed', 'cancelled']

describe('the completeness statement', () => {
  test('says that everything is there when it is', () => {
    const all = [adapter(), adapter({ name: 'crm', status: 'unknown_person', datasets: [] })]
    expect(of(...all)).toMatchObject({ complete: true, answered: 2, asked: 2, dataFound: true, missing: [] })
    expect(of(...all).statement).toMatch(/^2 of 2 services answered\. This package is complete.*We process personal data/)
  })

  test('names what is missing, with reason, law and date', () => {
    const { complete, missing, statement } = of(
      adapter({ datasets: [dataset({ outcome: 'retained', reason: '17_3_b', statute: 'AO 147', until: '2033-11-20' })] }),
      adapter({ name: 'crm', status: 'suspended', datasets: [] }),
    )
    expect(complete).toBe(false)
    expect(statement).toMatch(/^1 of 2 services answered\. This package is not complete/)
    expect(missing).toEqual([
      {
        adapter: 'billing',
        dataset: 'invoices',
        why: 'retained',
        count: 1,
        reason: '17_3_b',
        statute: 'AO 147',
        until: '2033-11-20',
      },
      { adapter: 'crm', why: 'suspended' },
    ])
  })

  test.each([
    ['fewer records came than were counted', { located: 3, count: 2 }, false],
    ['as many came', { located: 2, count: 2 }, true],
    ['more came, written since', { located: 2, count: 3 }, true],
    ['some were counted and then none came', { located: 1, count: 0, outcome: 'no_data' as const }, false],
    ['the counted are not portable', { located: 9, count: 0, outcome: 'not_portable' as const }, true],
  ])('compares with what was counted before: %s', (_, own, complete) => {
    expect(of(adapter({ datasets: [dataset(own)] })).complete).toBe(complete)
  })

  test('never says that nothing is held while something may be missing', () => {
    const nothing = adapter({ datasets: [dataset({ outcome: 'no_data', count: 0 })] })
    expect(of(nothing)).toMatchObject({
      complete: true,
      dataFound: false,
      statement: expect.stringContaining('found no personal data'),
    })
    const broken = adapter({ name: 'crm', status: 'failed', datasets: [] })
    expect(of(nothing, broken).statement).toContain('what is missing may be some')
  })

  test('claims nothing when nobody was asked', () => {
    expect(of()).toMatchObject({ complete: false, answered: 0, asked: 0, missing: [] })
  })

  test('claims completeness exactly when every adapter answered and every dataset is whole', () => {
    const anyAdapter = fc.record({
      status: fc.constantFrom(...ANSWERS, ...ANSWERS, ...SILENCES),
      outcomes: fc.array(fc.constantFrom(...WHOLE, ...WHOLE, ...SHORT), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(fc.array(anyAdapter, { maxLength: 5 }), all => {
        const { complete, statement, missing, answered, asked } = of(
          ...all.map(({ status, outcomes }, n) =>
            adapter({ name: `a${n}`, status, datasets: outcomes.map((outcome, m) => dataset({ name: `d${m}`, outcome })) }),
          ),
        )
        const short = all.flatMap(({ outcomes }) => outcomes.filter(outcome => SHORT.includes(outcome)))
        const silent = all.filter(({ status }) => SILENCES.includes(status))
        expect(missing).toHaveLength(short.length + silent.length)
        expect(complete).toBe(all.length > 0 && short.length + silent.length === 0)
        expect(statement.includes('is complete')).toBe(complete)
        expect(asked - answered).toBe(silent.length)
      }),
    )
  })
})
