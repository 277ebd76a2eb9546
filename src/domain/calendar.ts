import { addDays, type Day, weekday } from './day.ts'

/** The public holidays of one country or region. Weekends need not be listed: Saturday and Sunday, in every country we serve. */
export type Holidays = ReadonlySet<Day>

/** Public holidays by ISO 3166 code of a country ('DE') or region ('US-CA'). */
export type HolidaysByPlace = Readonly<Record<string, readonly Day[]>>

const NO_HOLIDAYS: Holidays = new Set()

export const isWorkingDay = (day: Day, holidays: Holidays = NO_HOLIDAYS): boolean => weekday(day) <= 5 && !holidays.has(day)

/** The day itself if it is a working day, else the first one after it (Reg. 1182/71 Art. 3(4)). */
export function nextWorkingDay(day: Day, holidays: Holidays = NO_HOLIDAYS): Day {
  return isWorkingDay(day, holidays) ? day : nextWorkingDay(addDays(day, 1), holidays)
}

/** The day after which so many working days have passed; the first day itself is not counted. */
export function addWorkingDays(day: Day, count: number, holidays: Holidays = NO_HOLIDAYS): Day {
  let last = day
  for (let passed = 0; passed < count; passed++) last = nextWorkingDay(addDays(last, 1), holidays)
  return last
}

/** A region's holidays; where none are listed for it, its country's ('US' for 'US-CA'). */
export function holidaysOf(place: string | undefined, listed: HolidaysByPlace = {}): Holidays {
  if (!place) return NO_HOLIDAYS
  return new Set(listed[place] ?? listed[place.slice(0, 2)])
}
