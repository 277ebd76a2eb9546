import { system } from '../domain/actor.ts'
import { dayIn } from '../domain/day.ts'
import { alarmsOf } from '../domain/forwarding.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, setFlag } from '../requests/apply-event.ts'
import { forwardingsOf } from './forwardings.store.ts'

/** Shows on the request whether any of the other controllers owes a word, as long as it does. */
export async function reflagForwardings(deps: CaseDeps, tx: Tx, request: DsarRequest, now: Date): Promise<void> {
  const today = dayIn(now, request.timeZone)
  const silent = (await forwardingsOf(tx, request.id)).some(forwarding => alarmsOf(forwarding, now, today).length > 0)
  await setFlag(deps, tx, request.id, 'forwarding_unanswered', silent, system('forwarding-watch'))
}
