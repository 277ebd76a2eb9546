import { dayIn } from '../domain/day.ts'
import { isRepresentative, type Voice } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { IdentityDeps } from './identities.store.ts'
import { mandateInForce } from './mandate-in-force.store.ts'
import { type Requester, requesterOf } from './requester.store.ts'

export interface PowerDeps extends IdentityDeps {
  clock: Clock
}

/** By what power somebody asks for another person, as it stands now. */
export interface Power {
  voice: Voice
  /** Where the answer goes. */
  to: 'subject' | 'requester'
  /** Whether the data subject can have it sent to whoever acts for them. */
  mayBeAllowed: boolean
  requester: Requester
}

/** Whether somebody asks for another person by a power that is none, or none any more. */
export const lacksPower = async (deps: PowerDeps, tx: Tx, request: DsarRequest): Promise<boolean> =>
  isRepresentative(request.relationship) && !(await powerOf(deps, tx, request))

/** The power in force, or undefined while there is none: nobody's word alone moves anything. */
export async function powerOf(
  deps: PowerDeps,
  tx: Tx,
  { id, timeZone }: Pick<DsarRequest, 'id' | 'timeZone'>,
): Promise<Power | undefined> {
  const mandate = await mandateInForce(tx, id, dayIn(deps.clock.now(), timeZone))
  const requester = mandate && (await requesterOf(deps, tx, id))
  if (!mandate || !requester) return undefined
  const mayBeAllowed = mandate.delivery === 'subject_may_allow'
  const isTheirs = mandate.delivery === 'requester' || (mayBeAllowed && requester.deliveryAgreedAt !== null)
  return { voice: mandate.voice, to: isTheirs ? 'requester' : 'subject', mayBeAllowed, requester }
}
