import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ALARM_LEVELS, type AlarmLevel, alarmsFor, alarmsOwed } from '../../src/domain/alarms.ts'
import { addDays, type Day } from '../../src/domain/day.ts'

const DUE: Day = '2028-03-01'
const LEVELS = Object.keys(ALARM_LEVELS)

/** Looks on each of the days in turn, as the watch does, and notes what it raises. */
function watch(days: readonly Day[]): AlarmLevel[] {
  const raised: AlarmLevel[] = []
  for (const today of days) raised.push(...alarmsOwed(DUE, today, raised).map(alarm => alarm.level))
  return raised
}

describe('alarms', () => {
  test('belong to ten, three and one day before, and to the day itself', () => {
    expect(alarmsFor(DUE)).toEqual([
      { level: 'in_10_days', on: '2028-02-20' },
      { level: 'in_3_days', on: '2028-02-27' },
      { level: 'in_1_day', on: '2028-02-29' },
      { level: 'due', on: '2028-03-01' },
    ])
  })

  test.each<[string, Day[], AlarmLevel[]]>([
    ['none before its day', ['2028-02-19'], []],
    ['each on its day', ['2028-02-20', '2028-02-27'], ['in_10_days', 'in_3_days']],
    ['all that were slept through, late and in order', ['2028-04-01'], ['in_10_days', 'in_3_days', 'in_1_day', 'due']],
    ['nothing again when the clock is set back', ['2028-02-27', '2028-02-20', '2028-02-27'], ['in_10_days', 'in_3_days']],
  ])('are raised: %s', (_, days, raised) => {
    expect(watch(days)).toEqual(raised)
  })

  test('each is raised exactly once, whatever the clock does on its way past the due day', () => {
    const walk = fc.array(fc.integer({ min: -60, max: 60 }), { maxLength: 40 })
    fc.assert(
      fc.property(walk, offsets => {
        const days = [...offsets, 0].map(offset => addDays(DUE, offset))
        expect(watch(days)).toHaveLength(LEVELS.length)
        expect(new Set(watch(days))).toEqual(new Set(LEVELS))
      }),
      { numRuns: 1000 },
    )
  })

  test('none is raised before its day', () => {
    fc.assert(
      fc.property(fc.integer({ min: -60, max: 60 }), fc.subarray(LEVELS as AlarmLevel[]), (offset, raised) => {
        const today = addDays(DUE, offset)
        for (const { level, on } of alarmsOwed(DUE, today, raised)) {
          expect(on <= today).toBe(true)
          expect(raised).not.toContain(level)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
