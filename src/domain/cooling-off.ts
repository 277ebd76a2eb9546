import type { Right } from './rights.ts'

const HOUR_MS = 3_600_000

export interface CoolingOff {
  /** Hours in which an erasure can be withdrawn once everybody who could have asked for it has been told. */
  erasureHours: number
  /** Hours in which a person reported as a child can contest it; meanwhile the account stands still. */
  contestHours: number
  /** Hours between the notice that a restriction ends and its end (Art. 18(3)). */
  liftingHours: number
}

/** Time that carrying it out and checking it may take: cooling off ends so long before the last day, if that is nearer. */
const RESERVE_HOURS = 48
const AT_LEAST_HOURS = 24

/**
 * When cooling off ends. It never uses up the time in which the request has to be answered: a period that would is shortened,
 * to a day at the least, because a warning that nobody can read in time is none.
 * @param dueAt the last moment of the day that was promised, or that the law of the person's place allows, whichever is earlier
 */
export function coolingOffEnds(periods: CoolingOff, right: Right, now: Date, dueAt: Date): Date {
  const hours = { erasure: periods.erasureHours, under_age_report: periods.contestHours }[right as string] ?? periods.liftingHours
  const wanted = now.getTime() + hours * HOUR_MS
  const latest = Math.max(dueAt.getTime() - RESERVE_HOURS * HOUR_MS, now.getTime() + AT_LEAST_HOURS * HOUR_MS)
  return new Date(Math.min(wanted, latest))
}
