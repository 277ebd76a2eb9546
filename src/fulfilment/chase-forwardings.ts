import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { dayIn } from '../domain/day.ts'
import { ACKNOWLEDGE_WITHIN_DAYS, alarmsOf, type Forwarding, type ForwardingAlarm } from '../domain/forwarding.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import type { OtherController } from '../policy/controllers.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { getForwarding, insertAlarm, unansweredSince } from './forwardings.store.ts'
import { reflagForwardings } from './reflag-forwardings.ts'

export interface ChaseForwardingsDeps extends CaseDeps {
  transact: Transact
  read: Tx
  policy: { controllers: readonly OtherController[] }
  /** Reminds the other controller, where it is still known how, and tells the privacy officer. */
  writeForwardingAlarm(
    tx: Tx,
    request: DsarRequest,
    forwarding: Forwarding,
    alarm: ForwardingAlarm,
    email: string | undefined,
  ): Promise<void>
}

const BY = system('forwarding-watch')
const DAY_MS = 86_400_000

/**
 * Chases other controllers that say nothing, each alarm of a forwarding exactly once: the row is the memory, so neither a restart
 * nor two workers raise one again, and one that was missed is raised late rather than never. Our own answer does not wait for it.
 */
export async function chaseForwardings(deps: ChaseForwardingsDeps): Promise<void> {
  const now = deps.clock.now()
  const since = new Date(now.getTime() - ACKNOWLEDGE_WITHIN_DAYS * DAY_MS)
  const open = await unansweredSince(deps.read, since, dayIn(now, 'Pacific/Kiritimati')) // where a day is over first
  await eachInTurn(open, ({ id, requestId }) => deps.transact(tx => chaseOne(deps, tx, id, requestId, now)))
}

async function chaseOne(deps: ChaseForwardingsDeps, tx: Tx, id: string, requestId: string, now: Date): Promise<void> {
  const request = await lockRequest(tx, requestId)
  const forwarding = await getForwarding(tx, id)
  if (!forwarding) return
  const email = deps.policy.controllers.find(({ name }) => name === forwarding.controller)?.email
  for (const alarm of alarmsOf(forwarding, now, dayIn(now, request.timeZone))) {
    if (!(await insertAlarm(tx, id, alarm, now))) continue
    await deps.record(tx, requestStream(requestId), BY, 'forwarding_chased', { forwarding: id, alarm })
    await deps.writeForwardingAlarm(tx, request, forwarding, alarm, email)
  }
  await reflagForwardings(deps, tx, request, now)
}
