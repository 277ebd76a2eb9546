import { endOfDay } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { isExtended } from './clock-ledger.store.ts'
import { lastDayOf } from './clocks-of.ts'

export interface LastMomentDeps {
  /** Of the controller. */
  timeZone: string
}

/** The last moment for the answer: that of its last day, where it ends first, at the person's or at the controller's. */
export async function lastMomentOf({ timeZone }: LastMomentDeps, tx: Tx, request: DsarRequest): Promise<Date> {
  const lastDay = lastDayOf(request, await isExtended(tx, request.id))
  return new Date(Math.min(...[request.timeZone, timeZone].map(zone => endOfDay(lastDay, zone).getTime())))
}
