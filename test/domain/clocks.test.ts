import { describe, expect, test } from '@jest/globals'
import { type Clock, type ClocksInput, deadlines } from '../../src/domain/clocks.ts'
import type { Day } from '../../src/domain/day.ts'
import { announced, asked, clock, clocksFor, words } from './a-clock.ts'

const refused = expect.objectContaining({ code: 'invalid_request' })
const HOLIDAYS = { DE: ['2026-04-03', '2026-04-06', '2026-12-25', '2026-12-26'] } as const

describe('the month of the GDPR and our promise', () => {
  test.each<{ received: Day; month: Day; rolled: Day; extended: Day; promise: Day }>([
    { received: '2026-03-05', month: '2026-04-05', rolled: '2026-04-07', extended: '2026-06-05', promise: '2026-04-04' }, // EDPB example 32
    { received: '2026-08-31', month: '2026-09-30', rolled: '2026-09-30', extended: '2026-11-30', promise: '2026-09-30' }, // EDPB example 33
    { received: '2026-01-31', month: '2026-02-28', rolled: '2026-03-02', extended: '2026-04-30', promise: '2026-02-28' },
    { received: '2028-01-31', month: '2028-02-29', rolled: '2028-02-29', extended: '2028-04-30', promise: '2028-02-29' },
    { received: '2026-11-25', month: '2026-12-25', rolled: '2026-12-28', extended: '2027-02-25', promise: '2026-12-25' },
    { received: '2028-02-29', month: '2028-03-29', rolled: '2028-03-29', extended: '2028-05-29', promise: '2028-03-29' },
    { received: '2026-09-03', month: '2026-10-03', rolled: '2026-10-05', extended: '2026-12-03', promise: '2026-10-03' },
    { received: '2026-12-01', month: '2027-01-01', rolled: '2027-01-01', extended: '2027-03-01', promise: '2026-12-31' },
  ])('received $received: month $month, moved $rolled, extended $extended, promised $promise', row => {
    const input = { country: 'DE', holidays: HOLIDAYS, ledger: [announced(row.received)] }
    const gdpr = clock('eu_gdpr', row.received, input)
    expect(gdpr).toMatchObject({ dueOn: row.month, rolledDueOn: row.rolled, extendedDueOn: row.extended, inForce: true })
    expect(clock('promise', row.received, input).dueOn).toBe(row.promise)
  })

  test('one moment that is two days counts from the earlier', () => {
    const moment = { receivedAt: new Date('2026-03-31T20:30:00Z') }
    expect(clock('eu_gdpr', '2026-03-31', { ...moment, timeZones: ['Europe/Berlin'] }).dueOn).toBe('2026-04-30')
    expect(clock('eu_gdpr', '2026-03-31', { ...moment, timeZones: ['Asia/Colombo'] }).dueOn).toBe('2026-05-01')

    const both = clock('eu_gdpr', '2026-03-31', { ...moment, timeZones: ['Asia/Colombo', 'Europe/Berlin'] })
    expect(both).toMatchObject({ receivedOn: '2026-03-31', dueOn: '2026-04-30' })
    expect(words(both)).toContain('Received on 2026-04-01 in Asia/Colombo and 2026-03-31 in Europe/Berlin')
  })

  test('the promise is never moved, paused or extended', () => {
    const ledger = [asked('clarification', '2026-09-10', '2026-09-17'), announced('2026-09-10')]
    const promise = clock('promise', '2026-09-04', { country: 'DE', holidays: { DE: ['2026-10-04'] }, ledger })
    expect(promise.dueOn).toBe('2026-10-04') // a Sunday, too
    expect(promise.rolledDueOn ?? promise.pausedDueOn ?? promise.extendableTo ?? promise.extendedDueOn).toBeUndefined()
    expect(words(promise)).toContain('this clock does not stop for it')
  })

  test('a chaser on day 20 changes nothing but the reckoning that mentions it', () => {
    const withoutSteps = (clocks: Clock[]) => clocks.map(({ steps: _, ...dates }) => dates)
    const chased = clocksFor('2026-09-01', { country: 'GB', ledger: [{ kind: 'chaser', on: '2026-09-21' }] })
    expect(withoutSteps(chased)).toEqual(withoutSteps(clocksFor('2026-09-01', { country: 'GB' })))
    expect(chased.every(each => words(each).includes('Asked about on 2026-09-21: not a new request'))).toBe(true)
  })
})

describe('the law of the place', () => {
  const ids = (clocks: Clock[]) => clocks.map(({ id }) => id)

  test.each<[string, Partial<ClocksInput>, Clock['id'][]]>([
    ['nobody knows where', {}, []],
    ['Germany', { country: 'DE' }, []],
    ['the United Kingdom', { country: 'GB' }, ['uk_gdpr']],
    ['Scotland', { country: 'GB', region: 'GB-SCT' }, ['uk_gdpr']],
    ['California', { country: 'US', region: 'US-CA' }, ['us_ca_confirmation', 'us_ca_ccpa']],
    ['California as a country', { country: 'US-CA' }, ['us_ca_confirmation', 'us_ca_ccpa']],
    ['another state', { country: 'US', region: 'US-NY' }, []],
    ['Brazil', { country: 'BR' }, ['br_lgpd']],
    ['Sri Lanka', { country: 'LK' }, ['lk_pdpa']],
  ])('joins the promise and the GDPR: %s', (_, where, local) => {
    expect(ids(clocksFor('2026-09-01', where))).toEqual(['promise', 'eu_gdpr', ...local])
  })

  test('the British rule is the one in force on the day of receipt', () => {
    expect(clock('uk_gdpr', '2026-02-04', { country: 'GB' }).citation).toBe('UK GDPR Art. 12(3)')
    expect(clock('uk_gdpr', '2026-02-05', { country: 'GB' }).citation).toBe('UK GDPR Art. 12A')
    expect(ids(clocksFor('2020-12-31', { country: 'GB' }))).not.toContain('uk_gdpr')
  })

  test('California: ten business days to confirm, 45 days to answer whoever is still being verified, 90 in all', () => {
    const input = { country: 'US-CA', holidays: { US: ['2026-09-07'] as const }, ledger: [asked('identity', '2026-09-02')] }
    expect(clock('us_ca_confirmation', '2026-09-01', input)).toMatchObject({ owes: 'confirmation', dueOn: '2026-09-16' })
    const answer = clock('us_ca_ccpa', '2026-09-01', input)
    expect(answer).toMatchObject({
      owes: 'answer',
      dueOn: '2026-10-16',
      extensionNoticeBy: '2026-10-16',
      extendableTo: '2026-11-30',
    })
    expect(answer.pausedSince).toBeUndefined()
    expect(deadlines(clocksFor('2026-09-01', input)).legalDueOn).toBe('2026-10-01') // not the confirmation's day
  })

  test('Brazil allows less than we promise, and no extension', () => {
    const input = { country: 'BR', ledger: [announced('2026-09-02')] }
    expect(deadlines(clocksFor('2026-09-01', input))).toEqual({ dueOn: '2026-10-01', legalDueOn: '2026-09-16' })
  })

  test('Sri Lanka counts working days, is shown, and binds nobody yet', () => {
    const input = { country: 'LK', holidays: { LK: ['2026-09-25'] as const } }
    const pdpa = clock('lk_pdpa', '2026-09-01', input)
    expect(pdpa).toMatchObject({ inForce: false, dueOn: '2026-10-01' })
    expect(words(pdpa)).toContain('Not in force')
    expect(deadlines(clocksFor('2026-08-03', input)).legalDueOn).toBe('2026-09-03')
  })

  test.each(['germany', 'de', 'D', ''])('is not guessed from "%s"', country => {
    expect(() => clocksFor('2026-09-01', { country })).toThrow(refused)
  })
})

describe('a reckoning', () => {
  test('names a zone once that is the person’s and the controller’s', () => {
    const one = clock('eu_gdpr', '2026-04-01', { timeZones: ['Asia/Colombo', 'Asia/Colombo'] })
    expect(words(one)).toMatch(/^Received on 2026-04-01 in Asia\/Colombo, read or not\./)
  })

  test('cites the rule of every step, in the order of the steps', () => {
    const gdpr = clock('eu_gdpr', '2026-03-05', {
      country: 'DE',
      holidays: HOLIDAYS,
      ledger: [asked('identity', '2026-03-06', '2026-03-07')],
    })
    expect(gdpr.steps).toEqual([
      {
        on: '2026-03-05',
        rule: 'EDPB Guidelines 01/2022 §159',
        text: 'Received on 2026-03-05 in UTC, read or not.',
      },
      { on: '2026-04-05', rule: 'GDPR Art. 12(3)', text: '1 month after receipt is 2026-04-05.' },
      {
        on: '2026-04-07',
        rule: 'Reg. 1182/71 Art. 3(4)',
        text: '2026-04-05 is not a working day; the law would allow 2026-04-07. We do not rely on it.',
      },
      {
        on: '2026-04-07',
        rule: 'EDPB Guidelines 01/2022 §159 ("may")',
        text: 'Asked for identity on 2026-03-06, given on 2026-03-07: 2 days do not count.',
      },
      {
        rule: 'GDPR Art. 12(3), second sentence',
        text: 'Can be extended to 3 months from receipt (2026-06-05) if announced with the reasons by 2026-04-05.',
      },
    ])
  })

  test('of the promise shows both of its ends', () => {
    expect(words(clock('promise', '2026-01-31'))).toContain(
      '30 days after receipt is 2026-03-02; 1 month after receipt is 2026-02-28; the earlier counts.',
    )
  })

  test('needs a time zone, and a request the GDPR can have met', () => {
    expect(() => clocksFor('2026-09-01', { timeZones: [] })).toThrow(refused)
    expect(() => clocksFor('2026-09-01', { timeZones: ['Mars/Olympus'] })).toThrow(refused)
    expect(() => clocksFor('2018-05-24')).toThrow(refused)
    expect(deadlines(clocksFor('2018-05-25')).legalDueOn).toBe('2018-06-25')
  })
})
