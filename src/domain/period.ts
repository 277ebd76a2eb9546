import { addWorkingDays, type Holidays } from './calendar.ts'
import { addDays, addMonths, type Day, earliest } from './day.ts'

/** A length of time, in the unit the law uses. */
export type Period = { months: number } | { days: number } | { workingDays: number }

/** The last day of a period; the day from which it is counted is not part of it (Reg. 1182/71 Art. 3(1)). */
export function endOf(period: Period, from: Day, holidays?: Holidays): Day {
  if ('months' in period) return addMonths(from, period.months)
  if ('days' in period) return addDays(from, period.days)
  return addWorkingDays(from, period.workingDays, holidays)
}

/** The day on which the first of several periods to end, ends. */
export const endOfFirst = (periods: readonly Period[], from: Day, holidays?: Holidays): Day =>
  earliest(periods.map(period => endOf(period, from, holidays)))

export function inWords(period: Period): string {
  if ('months' in period) return count(period.months, 'month')
  if ('days' in period) return count(period.days, 'day')
  return count(period.workingDays, 'working day')
}

const count = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'}`
