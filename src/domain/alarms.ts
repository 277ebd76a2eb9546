import { addDays, type Day } from './day.ts'

/** How many days before the due day each alarm belongs to. */
export const ALARM_LEVELS = { in_10_days: 10, in_3_days: 3, in_1_day: 1, due: 0 } as const

export type AlarmLevel = keyof typeof ALARM_LEVELS

export interface Alarm {
  level: AlarmLevel
  on: Day
}

/** The alarms of a due day, in the order of their days. */
export function alarmsFor(dueOn: Day): Alarm[] {
  return Object.entries(ALARM_LEVELS).map(([level, days]) => ({ level: level as AlarmLevel, on: addDays(dueOn, -days) }))
}

/**
 * The alarms to raise now, in order: each whose day has come and that was not raised for this due day before. So a level is never
 * skipped, however long nobody looked or however late the request came in, and never raised twice, however often the clock
 * is set back. A due day that has moved has alarms of its own.
 */
export function alarmsOwed(dueOn: Day, today: Day, alreadyRaised: readonly AlarmLevel[]): Alarm[] {
  return alarmsFor(dueOn).filter(({ level, on }) => on <= today && !alreadyRaised.includes(level))
}
