import { describe, expect, test } from '@jest/globals'
import type { Clock, ClocksInput } from '../../src/domain/clocks.ts'
import { deadlines } from '../../src/domain/clocks.ts'
import { type Day, dayIn } from '../../src/domain/day.ts'
import { canExtend } from '../../src/domain/extension.ts'
import { announced, asked, clock, clocksFor } from './a-clock.ts'

/** Days worked out from the words of each law with another calendar than ours, in another language: nothing here was computed by what it tests. */

const HOLIDAYS = {
  DE: ['2026-04-03', '2026-04-06', '2026-05-01', '2026-12-25', '2026-12-26', '2027-01-01', '2027-03-26', '2027-03-29'],
  LK: ['2026-01-15', '2026-02-04', '2026-05-01', '2026-12-25'],
  US: ['2026-01-01', '2026-07-03', '2026-11-26', '2026-12-25'],
} as const

/** The last day of a month is short, leap, a weekend, a holiday, or of a century that has no leap day (Reg. 1182/71 Art. 3). */
describe('the month, moved, extended, and what we promise', () => {
  test.each<[received: Day, month: Day, moved: Day, extended: Day, promised: Day]>([
    ['2026-01-28', '2026-02-28', '2026-03-02', '2026-04-28', '2026-02-27'],
    ['2026-01-29', '2026-02-28', '2026-03-02', '2026-04-29', '2026-02-28'],
    ['2026-01-30', '2026-02-28', '2026-03-02', '2026-04-30', '2026-02-28'],
    ['2026-02-28', '2026-03-28', '2026-03-30', '2026-05-28', '2026-03-28'],
    ['2026-03-01', '2026-04-01', '2026-04-01', '2026-06-01', '2026-03-31'],
    ['2026-03-03', '2026-04-03', '2026-04-07', '2026-06-03', '2026-04-02'],
    ['2026-03-06', '2026-04-06', '2026-04-07', '2026-06-06', '2026-04-05'],
    ['2026-03-31', '2026-04-30', '2026-04-30', '2026-06-30', '2026-04-30'],
    ['2026-04-01', '2026-05-01', '2026-05-04', '2026-07-01', '2026-05-01'],
    ['2026-05-31', '2026-06-30', '2026-06-30', '2026-08-31', '2026-06-30'],
    ['2026-06-30', '2026-07-30', '2026-07-30', '2026-09-30', '2026-07-30'],
    ['2026-07-31', '2026-08-31', '2026-08-31', '2026-10-31', '2026-08-30'],
    ['2026-09-30', '2026-10-30', '2026-10-30', '2026-12-30', '2026-10-30'],
    ['2026-10-31', '2026-11-30', '2026-11-30', '2027-01-31', '2026-11-30'],
    ['2026-11-26', '2026-12-26', '2026-12-28', '2027-02-26', '2026-12-26'],
    ['2026-11-30', '2026-12-30', '2026-12-30', '2027-02-28', '2026-12-30'],
    ['2026-12-31', '2027-01-31', '2027-02-01', '2027-03-31', '2027-01-30'],
    ['2027-02-26', '2027-03-26', '2027-03-30', '2027-05-26', '2027-03-26'],
    ['2027-11-30', '2027-12-30', '2027-12-30', '2028-02-29', '2027-12-30'],
    ['2028-01-29', '2028-02-29', '2028-02-29', '2028-04-29', '2028-02-28'],
    ['2028-01-30', '2028-02-29', '2028-02-29', '2028-04-30', '2028-02-29'],
    ['2028-02-28', '2028-03-28', '2028-03-28', '2028-05-28', '2028-03-28'],
    ['2028-02-29', '2028-03-29', '2028-03-29', '2028-05-29', '2028-03-29'],
    ['2028-12-31', '2029-01-31', '2029-01-31', '2029-03-31', '2029-01-30'],
    ['2099-12-31', '2100-01-31', '2100-02-01', '2100-03-31', '2100-01-30'],
    ['2100-01-31', '2100-02-28', '2100-03-01', '2100-04-30', '2100-02-28'],
  ])('of %s: %s, %s, %s, %s', (received, month, moved, extended, promised) => {
    const about = { country: 'DE', holidays: HOLIDAYS, ledger: [announced(received)] }
    expect(clock('eu_gdpr', received, about)).toMatchObject({ dueOn: month, rolledDueOn: moved, extendedDueOn: extended })
    expect(deadlines(clocksFor(received, about))).toEqual({ dueOn: promised, legalDueOn: extended })
    expect(deadlines(clocksFor(received, { ...about, ledger: [] })).legalDueOn).toBe(month)
  })
})

/** East and west of everybody, to the millisecond, and on days of 23, 24½ and 25 hours. */
describe('the day of receipt', () => {
  test.each<[at: string, zones: string[], receivedOn: Day, month: Day, promised: Day]>([
    ['2026-03-29T00:59:59.999Z', ['Europe/Berlin'], '2026-03-29', '2026-04-29', '2026-04-28'],
    ['2026-03-28T22:59:59.999Z', ['Europe/Berlin'], '2026-03-28', '2026-04-28', '2026-04-27'],
    ['2026-03-28T23:00:00.000Z', ['Europe/Berlin'], '2026-03-29', '2026-04-29', '2026-04-28'],
    ['2026-10-24T22:00:00.000Z', ['Europe/Berlin'], '2026-10-25', '2026-11-25', '2026-11-24'],
    ['2026-10-25T22:59:59.999Z', ['Europe/Berlin'], '2026-10-25', '2026-11-25', '2026-11-24'],
    ['2026-10-25T23:00:00.000Z', ['Europe/Berlin'], '2026-10-26', '2026-11-26', '2026-11-25'],
    ['2026-06-30T10:30:00Z', ['Pacific/Kiritimati', 'Asia/Colombo'], '2026-06-30', '2026-07-30', '2026-07-30'],
    ['2026-06-30T10:30:00Z', ['Pacific/Pago_Pago', 'Asia/Colombo'], '2026-06-29', '2026-07-29', '2026-07-29'],
    ['2026-07-01T10:59:59Z', ['Pacific/Pago_Pago', 'Asia/Colombo'], '2026-06-30', '2026-07-30', '2026-07-30'],
    ['2026-07-01T11:00:00Z', ['Pacific/Pago_Pago', 'Asia/Colombo'], '2026-07-01', '2026-08-01', '2026-07-31'],
    ['2028-02-29T18:29:59Z', ['Asia/Colombo'], '2028-02-29', '2028-03-29', '2028-03-29'],
    ['2028-02-29T18:30:00Z', ['Asia/Colombo'], '2028-03-01', '2028-04-01', '2028-03-31'],
    ['2028-03-01T04:59:59Z', ['America/New_York', 'Asia/Colombo'], '2028-02-29', '2028-03-29', '2028-03-29'],
    ['2026-12-31T23:30:00Z', ['Europe/London', 'Asia/Colombo'], '2026-12-31', '2027-01-31', '2027-01-30'],
    ['2026-01-31T18:45:00Z', ['Asia/Kathmandu', 'Asia/Colombo'], '2026-02-01', '2026-03-01', '2026-03-01'],
    ['2026-09-30T12:15:00Z', ['Pacific/Chatham'], '2026-10-01', '2026-11-01', '2026-10-31'],
    ['2026-02-01T02:59:59Z', ['America/Sao_Paulo', 'Asia/Colombo'], '2026-01-31', '2026-02-28', '2026-02-28'],
    ['2026-04-04T13:30:00Z', ['Australia/Lord_Howe', 'Asia/Colombo'], '2026-04-04', '2026-05-04', '2026-05-04'],
  ])('of %s in %j is %s', (at, timeZones, receivedOn, month, promised) => {
    const about = { receivedAt: new Date(at), timeZones }
    expect(clock('eu_gdpr', receivedOn, about)).toMatchObject({ receivedOn, dueOn: month })
    expect(clock('promise', receivedOn, about).dueOn).toBe(promised)
  })

  test.each<[zone: string, at: string, shown: Day]>([
    ['Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31'], // there was no 30 December
    ['Africa/Cairo', '2026-04-23T22:00:00Z', '2026-04-24'], // a day without a midnight
    ['America/Sao_Paulo', '2018-11-04T02:59:59Z', '2018-11-03'],
    ['America/Sao_Paulo', '2018-11-04T03:00:00Z', '2018-11-04'],
    ['Asia/Kathmandu', '2026-06-30T18:15:00Z', '2026-07-01'],
  ])('shown in %s at %s is %s', (zone, at, shown) => {
    expect(dayIn(new Date(at), zone)).toBe(shown)
  })
})

describe('California', () => {
  const of = (more: Partial<ClocksInput> = {}) => ({ country: 'US', region: 'US-CA', holidays: HOLIDAYS, ...more })

  test.each<[received: Day, confirmed: Day, answered: Day, extended: Day, legal: Day, legalExtended: Day]>([
    ['2026-01-31', '2026-02-13', '2026-03-17', '2026-05-01', '2026-02-28', '2026-04-30'],
    ['2026-06-25', '2026-07-10', '2026-08-09', '2026-09-23', '2026-07-25', '2026-09-23'],
    ['2026-11-20', '2026-12-07', '2027-01-04', '2027-02-18', '2026-12-20', '2027-02-18'],
    ['2026-12-18', '2027-01-04', '2027-02-01', '2027-03-18', '2027-01-18', '2027-03-18'],
    ['2028-01-16', '2028-01-28', '2028-03-01', '2028-04-15', '2028-02-16', '2028-04-15'],
    ['2026-02-13', '2026-02-27', '2026-03-30', '2026-05-14', '2026-03-13', '2026-05-13'],
  ])('received %s: confirmed by %s, answered by %s or %s', (received, confirmed, answered, extended, legal, legalExtended) => {
    expect(clock('us_ca_confirmation', received, of()).dueOn).toBe(confirmed)
    expect(clock('us_ca_ccpa', received, of())).toMatchObject({ dueOn: answered, extendableTo: extended })
    const pauses = [asked('identity', received), asked('clarification', received)] // stop nothing here
    expect(deadlines(clocksFor(received, of({ ledger: pauses }))).legalDueOn).toBe(legal)
    expect(deadlines(clocksFor(received, of({ ledger: [announced(received)] }))).legalDueOn).toBe(legalExtended)
  })
})

describe('Brazil', () => {
  test.each<[received: Day, answered: Day, promised: Day]>([
    ['2026-02-14', '2026-03-01', '2026-03-14'],
    ['2026-12-20', '2027-01-04', '2027-01-19'],
    ['2028-02-15', '2028-03-01', '2028-03-15'],
    ['2026-03-31', '2026-04-15', '2026-04-30'],
  ])('received %s: %s, long before the promised %s, whatever is announced or asked', (received, legalDueOn, dueOn) => {
    const ledger = [announced(received), asked('identity', received), asked('clarification', received)]
    expect(deadlines(clocksFor(received, { country: 'BR', ledger }))).toEqual({ dueOn, legalDueOn })
  })
})

describe('Sri Lanka', () => {
  test.each<[received: Day, answered: Day]>([
    ['2026-01-05', '2026-02-05'],
    ['2026-01-31', '2026-03-03'],
    ['2026-04-24', '2026-05-26'],
    ['2026-12-04', '2027-01-05'],
  ])('received %s: twenty-one working days end on %s', (received, answered) => {
    expect(clock('lk_pdpa', received, { country: 'LK', holidays: HOLIDAYS }).dueOn).toBe(answered)
  })
})

/** Days from the asking to the answer, both included, do not count: for the month, and for the three months once they were announced. */
describe('the United Kingdom, asked and answered', () => {
  test.each<[received: Day, waits: [Day, Day][], strict: Day, paused: Day, extended: Day, extendedAndPaused: Day]>([
    ['2026-03-02', [['2026-03-02', '2026-03-02']], '2026-04-02', '2026-04-03', '2026-06-02', '2026-06-03'],
    ['2026-01-31', [['2026-02-10', '2026-02-12']], '2026-02-28', '2026-03-03', '2026-04-30', '2026-05-03'],
    ['2026-08-31', [['2026-09-29', '2026-10-05']], '2026-09-30', '2026-10-07', '2026-11-30', '2026-12-07'],
    ['2026-09-03', [['2026-10-03', '2026-10-03']], '2026-10-03', '2026-10-04', '2026-12-03', '2026-12-04'],
    [
      '2026-09-03',
      [
        ['2026-09-05', '2026-09-08'],
        ['2026-09-09', '2026-09-10'],
      ],
      '2026-10-03',
      '2026-10-09',
      '2026-12-03',
      '2026-12-09',
    ],
    [
      '2026-09-03',
      [
        ['2026-09-05', '2026-09-20'],
        ['2026-09-10', '2026-09-12'],
      ],
      '2026-10-03',
      '2026-10-19',
      '2026-12-03',
      '2026-12-19',
    ],
    ['2028-01-30', [['2028-02-28', '2028-03-01']], '2028-02-29', '2028-03-03', '2028-04-30', '2028-05-03'],
  ])('received %s, waited %j: %s or %s, extended %s or %s', (received, waits, dueOn, paused, extended, both) => {
    const ledger = waits.map(([from, until]) => asked('clarification', from, until))
    const of = (more: ClocksInput['ledger']): Clock => clock('uk_gdpr', received, { country: 'GB', ledger: [...ledger, ...more] })
    expect(of([])).toMatchObject({ dueOn, pausedDueOn: paused })
    expect(of([announced(received)])).toMatchObject({ dueOn, extendedDueOn: extended, pausedDueOn: both })
    expect(deadlines(clocksFor(received, { country: 'GB', ledger })).legalDueOn).toBe(dueOn)
  })

  test('a question in the longer period is not too late to stop it, and one after its end is', () => {
    const late = (from: Day, until: Day) =>
      clock('uk_gdpr', '2026-09-03', { country: 'GB', ledger: [announced('2026-09-10'), asked('clarification', from, until)] })
    expect(late('2026-11-02', '2026-11-05').pausedDueOn).toBe('2026-12-07')
    expect(late('2026-12-03', '2026-12-03').pausedDueOn).toBe('2026-12-04')
    expect(late('2026-12-04', '2026-12-09').pausedDueOn).toBeUndefined()
  })

  test('who they are, given in the longer period, starts all of it anew', () => {
    const ledger = [announced('2026-09-10'), asked('identity', '2026-09-05', '2026-09-30')]
    expect(clock('uk_gdpr', '2026-09-03', { country: 'GB', ledger })).toMatchObject({
      startsOn: '2026-09-30',
      extendedDueOn: '2026-12-03',
      pausedDueOn: '2026-12-30',
    })
  })
})

describe('the last day on which an extension may be announced', () => {
  test.each<[received: Day, last: Day, after: Day]>([
    ['2026-01-31', '2026-02-28', '2026-03-01'],
    ['2028-01-31', '2028-02-29', '2028-03-01'],
    ['2026-02-28', '2026-03-28', '2026-03-29'], // a Saturday: not moved
    ['2026-03-03', '2026-04-03', '2026-04-07'], // Good Friday: not moved
    ['2026-11-25', '2026-12-25', '2026-12-28'],
    ['2026-12-31', '2027-01-31', '2027-02-01'],
  ])('of a request received %s is %s, not %s', (received, last, after) => {
    const gdpr = clock('eu_gdpr', received, { country: 'DE', holidays: HOLIDAYS })
    expect([last, after].map(day => canExtend(gdpr, day))).toEqual([true, false])
    const on = (day: Day) => deadlines(clocksFor(received, { country: 'DE', holidays: HOLIDAYS, ledger: [announced(day)] }))
    expect([on(last).legalDueOn > last, on(after).legalDueOn]).toEqual([true, last])
  })
})
