import { Problem } from './problem.ts'

/**
 * A day of the calendar, written YYYY-MM-DD. It has no hour and no zone, so nothing can shift it; two days compare with `<`.
 * What comes from outside becomes a Day in `parseDay` only. Arithmetic is done at midnight UTC, where no clock ever changes.
 */
export type Day = `${number}-${number}-${number}`

const MS_PER_DAY = 86_400_000

/** Reads a day that exists (30 February does not), in the years 1000 to 9999. @throws Problem `invalid_request` */
export function parseDay(text: string): Day {
  midnight(text)
  return text as Day
}

export function isDay(text: string): text is Day {
  const ms = /^[1-9]\d{3}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  // 30 February is read as 2 March: only a day that is written out as it was read exists.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

function midnight(text: string): number {
  if (!isDay(text)) throw new Problem('invalid_request', 'A day is written YYYY-MM-DD and exists in the calendar.')
  return Date.parse(`${text}T00:00:00Z`)
}

const dayAt = (ms: number): Day => parseDay(new Date(ms).toISOString().slice(0, 10))

export const compareDays = (a: Day, b: Day): -1 | 0 | 1 => (a < b ? -1 : a > b ? 1 : 0)

/** @throws RangeError when there is no day to choose from */
export function earliest(days: readonly Day[]): Day {
  const [first] = days.toSorted(compareDays)
  if (!first) throw new RangeError('There is no day to choose from.')
  return first
}

/** @throws RangeError when there is no day to choose from */
export function latest(days: readonly Day[]): Day {
  const last = days.toSorted(compareDays).at(-1)
  if (!last) throw new RangeError('There is no day to choose from.')
  return last
}

export const addDays = (day: Day, count: number): Day => dayAt(midnight(day) + count * MS_PER_DAY)

/** From the first to the second; negative when the second is earlier. */
export const daysBetween = (from: Day, to: Day): number => (midnight(to) - midnight(from)) / MS_PER_DAY

/**
 * The same date so many months on, or the last day of a month too short for it (Reg. 1182/71 Art. 3(2)(c)).
 * Always count from the first day: two single steps from 31 January end on 28 March, one double step on 31 March.
 */
export function addMonths(day: Day, count: number): Day {
  const start = new Date(midnight(day))
  const firstOfMonth = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + count, 1)
  const lastOfMonth = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + count + 1, 0)).getUTCDate()
  return addDays(dayAt(firstOfMonth), Math.min(start.getUTCDate(), lastOfMonth) - 1)
}

/** 1 for Monday to 7 for Sunday (ISO 8601). */
export const weekday = (day: Day): number => new Date(midnight(day)).getUTCDay() || 7

/** The day the calendar on the wall shows at that instant. @throws Problem `invalid_request` for a zone that IANA does not list */
export const dayIn = (instant: Date, timeZone: string): Day => wallCalendar(timeZone)(instant)

/**
 * The last millisecond of a day in a zone. It is searched for, not reckoned with offsets, and so holds for days
 * of 23 and 25 hours and for those a zone has left out.
 */
export function endOfDay(day: Day, timeZone: string): Date {
  const key = `${day} ${timeZone}`
  const end = ends.get(key) ?? searchEnd(day, timeZone)
  if (ends.size >= ENDS_AT_MOST) ends.clear()
  ends.set(key, end)
  return new Date(end)
}

/** Found before: all requests of a day end on the same one, and the search takes most of a millisecond. */
const ends = new Map<string, number>()
const ENDS_AT_MOST = 1000

function searchEnd(day: Day, timeZone: string): number {
  const shown = wallCalendar(timeZone)
  let within = midnight(day) - MS_PER_DAY
  let over = midnight(day) + 2 * MS_PER_DAY
  while (over - within > 1) {
    const middle = Math.floor((within + over) / 2)
    if (shown(new Date(middle)) > day) over = middle
    else within = middle
  }
  return within
}

function wallCalendar(timeZone: string): (instant: Date) => Day {
  const format = dateFormat(timeZone)
  return instant => {
    const shown = Object.fromEntries(format.formatToParts(instant).map(part => [part.type, part.value]))
    return parseDay(`${shown.year}-${shown.month}-${shown.day}`)
  }
}

/** One for each zone asked for: there are some hundreds of zones, and a format costs more than all that is done with it. */
const formats = new Map<string, Intl.DateTimeFormat>()

function dateFormat(timeZone: string): Intl.DateTimeFormat {
  const format = formats.get(timeZone) ?? newDateFormat(timeZone)
  formats.set(timeZone, format)
  return format
}

function newDateFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  } catch {
    throw new Problem('invalid_request', 'A time zone is named as in the IANA database, such as Europe/Berlin.')
  }
}
