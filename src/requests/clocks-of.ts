import type { HolidaysByPlace } from '../domain/calendar.ts'
import { type Clock, computeClocks } from '../domain/clocks.ts'
import { type Day, earliest } from '../domain/day.ts'
import type { LedgerEntry } from '../domain/ledger.ts'
import type { DsarRequest } from '../domain/request.ts'

export interface ClocksDeps {
  holidays: HolidaysByPlace
  /** Of the controller. */
  timeZone: string
}

type Timed = Pick<DsarRequest, 'receivedAt' | 'timeZone' | 'country' | 'region'>

/** Every clock of a request, with what has happened since that bears on time. */
export function clocksOf(deps: ClocksDeps, request: Timed, ledger: readonly LedgerEntry[]): Clock[] {
  const { receivedAt, timeZone, country, region } = request
  return computeClocks({
    receivedAt,
    timeZones: [timeZone, deps.timeZone],
    ...(country && { country }),
    ...(region && { region }),
    holidays: deps.holidays,
    ledger,
  })
}

/**
 * The last day for the answer as the person may expect it: what we promised or the law allows, whichever is earlier; once they
 * have been told that it takes longer, what the law allows.
 */
export const lastDayOf = ({ dueOn, legalDueOn }: Pick<DsarRequest, 'dueOn' | 'legalDueOn'>, extended: boolean): Day =>
  extended ? legalDueOn : earliest([dueOn, legalDueOn])
