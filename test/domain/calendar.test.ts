import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addWorkingDays, holidaysOf, isWorkingDay, nextWorkingDay } from '../../src/domain/calendar.ts'
import { addDays, type Day, daysBetween } from '../../src/domain/day.ts'

const easter = new Set<Day>(['2026-04-03', '2026-04-06'])
const anyDay = fc.integer({ min: 0, max: 10_000 }).map(count => addDays('2020-01-01', count))
const someHolidays = fc.tuple(anyDay, fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 12 }))

describe('working days', () => {
  test.each<[Day, Day]>([
    ['2026-04-02', '2026-04-02'], // Thursday
    ['2026-04-03', '2026-04-07'], // Good Friday
    ['2026-04-04', '2026-04-07'],
    ['2026-04-05', '2026-04-07'],
    ['2026-04-06', '2026-04-07'], // Easter Monday
    ['2026-04-11', '2026-04-13'], // an ordinary Saturday
  ])('from %s the next is %s', (day, next) => {
    expect(nextWorkingDay(day, easter)).toBe(next)
  })

  test('a day moved is a working day, not before its time, and the first of them', () => {
    fc.assert(
      fc.property(someHolidays, ([day, offsets]) => {
        const holidays = new Set(offsets.map(offset => addDays(day, offset)))
        const moved = nextWorkingDay(day, holidays)
        expect(isWorkingDay(moved, holidays)).toBe(true)
        expect(moved >= day).toBe(true)
        for (let between = day; between < moved; between = addDays(between, 1))
          expect(isWorkingDay(between, holidays)).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })

  test.each<[Day, number, Day]>([
    ['2026-04-01', 1, '2026-04-02'],
    ['2026-04-01', 2, '2026-04-07'],
    ['2026-04-04', 1, '2026-04-07'], // begun on a Saturday
    ['2026-04-01', 0, '2026-04-01'],
  ])('%s and %i of them is %s', (day, count, end) => {
    expect(addWorkingDays(day, count, easter)).toBe(end)
  })

  test('as many as asked lie between', () => {
    fc.assert(
      fc.property(someHolidays, fc.integer({ min: 1, max: 30 }), ([day, offsets], count) => {
        const holidays = new Set(offsets.map(offset => addDays(day, offset)))
        const end = addWorkingDays(day, count, holidays)
        const passed = Array.from({ length: daysBetween(day, end) }, (_, i) => addDays(day, i + 1))
        expect(passed.filter(d => isWorkingDay(d, holidays))).toHaveLength(count)
        expect(isWorkingDay(end, holidays)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test("a region has its own holidays, or else its country's", () => {
    const listed = { US: ['2026-07-03'], 'US-CA': ['2026-03-31'], DE: ['2026-04-03'] } as const
    expect([...holidaysOf('US-CA', listed)]).toEqual(['2026-03-31'])
    expect([...holidaysOf('US-NY', listed)]).toEqual(['2026-07-03'])
    expect([...holidaysOf('FR', listed)]).toEqual([])
    expect([...holidaysOf(undefined, listed)]).toEqual([])
  })
})
