import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  addDays,
  addMonths,
  type Day,
  dayIn,
  daysBetween,
  earliest,
  endOfDay,
  latest,
  parseDay,
  weekday,
} from '../../src/domain/day.ts'

const refused = expect.objectContaining({ code: 'invalid_request' })
const anyDay = fc
  .date({ min: new Date('2018-05-25'), max: new Date('2199-12-31'), noInvalidDate: true })
  .map(at => dayIn(at, 'UTC'))

describe('a day', () => {
  test.each(['2028-02-29', '2026-12-31', '1000-01-01', '9999-12-31'])('%s exists', text => {
    expect(parseDay(text)).toBe(text)
  })

  test.each([
    '2026-02-29',
    '2026-02-30',
    '2100-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-1-1',
    '0999-01-01',
    '2026-01-01T00:00',
    '',
  ])('"%s" does not exist, and is refused without being repeated', text => {
    expect(() => parseDay(text)).toThrow(refused)
    expect(() => parseDay(text)).toThrow('A day is written YYYY-MM-DD and exists in the calendar.')
  })

  test('beyond the year 9999 is refused, not wrapped', () => {
    expect(() => addDays('9999-12-31', 1)).toThrow(refused)
  })

  test.each<[Day, number]>([
    ['2026-03-02', 1],
    ['2026-03-07', 6],
    ['2026-03-08', 7],
    ['2028-02-29', 2],
  ])('%s is weekday %i', (day, number) => {
    expect(weekday(day)).toBe(number)
  })

  test('the earliest and the latest of none is an error', () => {
    expect(earliest(['2026-03-02', '2026-03-01'])).toBe('2026-03-01')
    expect(latest(['2026-03-02', '2026-03-10', '2026-03-09'])).toBe('2026-03-10')
    expect(() => earliest([])).toThrow(RangeError)
    expect(() => latest([])).toThrow(RangeError)
  })
})

describe('months are counted from the first day', () => {
  test.each<[Day, number, Day]>([
    ['2026-03-05', 1, '2026-04-05'],
    ['2026-08-31', 1, '2026-09-30'],
    ['2026-01-31', 1, '2026-02-28'],
    ['2028-01-31', 1, '2028-02-29'],
    ['2028-02-29', 1, '2028-03-29'],
    ['2028-02-29', 12, '2029-02-28'],
    ['2026-01-31', 3, '2026-04-30'],
    ['2026-11-30', 3, '2027-02-28'],
    ['2026-12-31', 2, '2027-02-28'],
    ['2026-12-15', 1, '2027-01-15'],
    ['2026-03-31', -1, '2026-02-28'],
  ])('%s and %i months is %s', (day, months, end) => {
    expect(addMonths(day, months)).toBe(end)
  })

  test('they land in the right month, on the same date or on the last day', () => {
    fc.assert(
      fc.property(anyDay, fc.integer({ min: 0, max: 48 }), (day, months) => {
        const end = addMonths(day, months)
        const monthsOf = (d: Day) => Number(d.slice(0, 4)) * 12 + Number(d.slice(5, 7))
        expect(monthsOf(end) - monthsOf(day)).toBe(months)
        if (end.slice(8) !== day.slice(8)) expect(addDays(end, 1).slice(8)).toBe('01')
      }),
      { numRuns: 2000 },
    )
  })

  test('days added can be counted again', () => {
    fc.assert(
      fc.property(anyDay, fc.integer({ min: -2000, max: 2000 }), (day, count) => {
        expect(daysBetween(day, addDays(day, count))).toBe(count)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the day in a zone', () => {
  test.each([
    ['2026-03-31T20:30:00Z', 'Europe/Berlin', '2026-03-31'],
    ['2026-03-31T20:30:00Z', 'Asia/Colombo', '2026-04-01'],
    ['2027-03-27T22:59:59.999Z', 'Europe/Berlin', '2027-03-27'],
    ['2027-03-27T23:00:00Z', 'Europe/Berlin', '2027-03-28'],
    ['2027-03-28T01:00:00Z', 'Europe/Berlin', '2027-03-28'],
    ['2027-03-28T22:00:00Z', 'Europe/Berlin', '2027-03-29'],
    ['2027-10-30T22:00:00Z', 'Europe/Berlin', '2027-10-31'],
    ['2027-10-31T00:30:00Z', 'Europe/Berlin', '2027-10-31'],
    ['2027-10-31T01:30:00Z', 'Europe/Berlin', '2027-10-31'],
    ['2027-10-31T22:59:59.999Z', 'Europe/Berlin', '2027-10-31'],
    ['2027-10-31T23:00:00Z', 'Europe/Berlin', '2027-11-01'],
    ['2016-12-31T23:59:59.999Z', 'UTC', '2016-12-31'],
    ['2028-02-29T12:00:00Z', 'America/Sao_Paulo', '2028-02-29'],
    ['2026-01-01T11:00:00Z', 'Pacific/Kiritimati', '2026-01-02'],
  ])('%s in %s is %s', (instant, zone, day) => {
    expect(dayIn(new Date(instant), zone)).toBe(day)
  })

  test.each<[Day, string, string]>([
    ['2027-03-28', 'Europe/Berlin', '2027-03-28T21:59:59.999Z'],
    ['2027-10-31', 'Europe/Berlin', '2027-10-31T22:59:59.999Z'],
    ['2026-12-18', 'Asia/Colombo', '2026-12-18T18:29:59.999Z'],
    ['2026-12-18', 'Pacific/Pago_Pago', '2026-12-19T10:59:59.999Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T09:59:59.999Z'], // a day Samoa left out: over as soon as the day before it
  ])('%s in %s ends at %s', (day, zone, end) => {
    expect(endOfDay(day, zone).toISOString()).toBe(end)
  })

  test('every instant of the year of a zone belongs to one day, which ends where the next begins', () => {
    const zones = ['Europe/Berlin', 'Asia/Colombo', 'America/Los_Angeles', 'Australia/Lord_Howe', 'America/Havana', 'Asia/Beirut']
    const instants = fc.date({ min: new Date('2027-01-01'), max: new Date('2027-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), (instant, zone) => {
        const day = dayIn(instant, zone)
        const end = endOfDay(day, zone)
        expect(instant.getTime()).toBeLessThanOrEqual(end.getTime())
        expect(dayIn(end, zone)).toBe(day)
        expect(dayIn(new Date(end.getTime() + 1), zone)).toBe(addDays(day, 1))
      }),
      { numRuns: 1000 },
    )
  })

  test('a zone nobody knows and an instant that is none are refused', () => {
    expect(() => dayIn(new Date(0), 'Europe/Atlantis')).toThrow(refused)
    expect(() => endOfDay('2026-01-01', '')).toThrow(refused)
    expect(() => dayIn(new Date('never'), 'UTC')).toThrow(RangeError)
  })
})
