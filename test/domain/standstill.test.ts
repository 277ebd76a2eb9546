import { describe, expect, test } from '@jest/globals'
import { type Clock, deadlines } from '../../src/domain/clocks.ts'
import type { LedgerEntry } from '../../src/domain/ledger.ts'
import { asked, clock, clocksFor, words } from './a-clock.ts'

describe('waiting for the person', () => {
  test('eight days asked and answered move the British clock to 9 October, and the strict ones not at all', () => {
    const input = { country: 'GB', ledger: [asked('clarification', '2026-09-10', '2026-09-17')] }
    expect(clock('uk_gdpr', '2026-09-01', input)).toMatchObject({
      dueOn: '2026-10-01',
      pausedDueOn: '2026-10-09',
      startsOn: '2026-09-01',
    })
    expect(words(clock('uk_gdpr', '2026-09-01', input))).toContain('given on 2026-09-17: 8 days do not count')
    expect(clock('eu_gdpr', '2026-09-01', input).dueOn).toBe('2026-10-01')
    expect(deadlines(clocksFor('2026-09-01', input))).toEqual({ dueOn: '2026-10-01', legalDueOn: '2026-10-01' })
  })

  test.each<[string, LedgerEntry[], Partial<Clock>]>([
    [
      'a day awaited twice is taken out once',
      [asked('clarification', '2026-09-10', '2026-09-17'), asked('clarification', '2026-09-12', '2026-09-18')],
      { pausedDueOn: '2026-10-10' },
    ],
    [
      'asked and answered on one day takes out that day',
      [asked('clarification', '2026-09-10', '2026-09-10')],
      { pausedDueOn: '2026-10-02' },
    ],
    [
      'a proof of identity starts the month anew',
      [asked('identity', '2026-09-02', '2026-09-12')],
      { startsOn: '2026-09-12', pausedDueOn: '2026-10-12' },
    ],
    [
      'so does a fee, and the later of the two counts',
      [asked('fee', '2026-09-02', '2026-09-20'), asked('identity', '2026-09-02', '2026-09-12')],
      { startsOn: '2026-09-20', pausedDueOn: '2026-10-20' },
    ],
    [
      'what was clarified before the start takes nothing out',
      [asked('clarification', '2026-09-03', '2026-09-05'), asked('identity', '2026-09-04', '2026-09-12')],
      { startsOn: '2026-09-12', pausedDueOn: '2026-10-12' },
    ],
    [
      'after the start it does',
      [asked('clarification', '2026-09-13', '2026-09-14'), asked('identity', '2026-09-02', '2026-09-12')],
      { startsOn: '2026-09-12', pausedDueOn: '2026-10-14' },
    ],
    ['a clock that ran out cannot be stopped', [asked('clarification', '2026-10-02', '2026-10-20')], {}],
    [
      'one that a pause has kept alive can',
      [asked('clarification', '2026-09-30', '2026-10-01'), asked('clarification', '2026-10-03', '2026-10-03')],
      { pausedDueOn: '2026-10-04' },
    ],
    [
      'an open question leaves the end open',
      [asked('clarification', '2026-09-10', '2026-09-17'), asked('identity', '2026-09-20')],
      { pausedSince: '2026-09-20' },
    ],
    [
      'the first of two open questions counts',
      [asked('identity', '2026-09-20'), asked('clarification', '2026-09-18')],
      { pausedSince: '2026-09-18' },
    ],
    [
      'while the clock stands still no question is too late',
      [asked('identity', '2026-09-20'), asked('clarification', '2026-11-01')],
      { pausedSince: '2026-09-20' },
    ],
  ])('in the United Kingdom: %s', (_, ledger, expected) => {
    const { startsOn, pausedDueOn, pausedSince, dueOn } = clock('uk_gdpr', '2026-09-01', { country: 'GB', ledger })
    expect({ startsOn, pausedDueOn, pausedSince }).toEqual({
      startsOn: '2026-09-01',
      pausedDueOn: undefined,
      pausedSince: undefined,
      ...expected,
    })
    expect(dueOn).toBe('2026-10-01')
  })

  test('while something is awaited, a further question is not called too late', () => {
    const ledger = [asked('identity', '2026-09-20'), asked('clarification', '2026-11-01', '2026-11-02')]
    expect(words(clock('uk_gdpr', '2026-09-01', { country: 'GB', ledger }))).not.toContain('too late')
  })

  test('the GDPR may wait for who and what, not for money', () => {
    expect(clock('eu_gdpr', '2026-09-01', { ledger: [asked('identity', '2026-09-02', '2026-09-03')] }).pausedDueOn).toBe(
      '2026-10-03',
    )
    const fee = clock('eu_gdpr', '2026-09-01', { ledger: [asked('fee', '2026-09-02', '2026-09-03')] })
    expect(fee.pausedDueOn).toBeUndefined()
    expect(words(fee)).toContain('Asked for fee on 2026-09-02: this clock does not stop for it.')
  })

  test('a pause that ends before it begins is refused', () => {
    expect(() => clocksFor('2026-09-01', { ledger: [asked('identity', '2026-09-03', '2026-09-02')] })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })
})
