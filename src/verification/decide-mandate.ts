import { requestStream } from '../audit/record.ts'
import type { AssuranceDeps } from '../auth/assurance.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { dayIn } from '../domain/day.ts'
import type { Mandate } from '../domain/mandate.ts'
import { Problem } from '../domain/problem.ts'
import type { MandateRefusal } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { renewVersion, setFlag } from '../requests/apply-event.ts'
import { mandatesOf, saveMandateDecision } from '../requests/mandates.store.ts'
import { recordProof } from '../requests/record-proof.ts'
import { isOver } from './check-mandate.ts'
import { lockUninvolved } from './lock-uninvolved.ts'
import type { ProposeDeps } from './propose-mandate.ts'

export interface MandateDeps extends ProposeDeps {
  policy: ProposeDeps['policy'] & AssuranceDeps['policy']
  /** To whoever acts for the person. */
  tellOfRefusedMandate(tx: Tx, request: DsarRequest, mandate: string, reason: MandateRefusal): Promise<void>
}

/**
 * The second person takes the document for what it is. Where it gives the power to act without the person, it is the proof of who asks.
 * @throws Problem `not_found`, `not_allowed`, `second_person_needed`, `unprocessable`, `illegal_transition`
 */
export async function approveMandate(deps: MandateDeps, tx: Tx, requestId: string, id: string, caller: Caller): Promise<Mandate> {
  const { request, mandate } = await undecided(deps, tx, requestId, id, caller)
  const now = deps.clock.now()
  if (isOver(mandate, dayIn(now, request.timeZone))) throw new Problem('unprocessable', 'The mandate is over.')
  const by = toActor(caller)
  const approved = { ...mandate, decision: 'approved' as const, decidedBy: by.id, decidedAt: now }
  await saveMandateDecision(tx, approved)
  await deps.record(tx, requestStream(requestId), by, 'mandate_approved', { mandate: id, voice: mandate.voice })
  await setFlag(deps, tx, requestId, 'mandate_needed', false, by)
  const { level } = deps.policy.assurance.methods.mandate
  if (mandate.voice !== 'decides')
    await recordProof(deps, tx, requestId, { method: 'mandate', level, provenAt: now }, by, { mandate: id })
  else if (request.state !== 'received') await deps.enqueue(tx, 'weigh-identity', { requestId })
  await renewVersion(tx, requestId)
  return approved
}

/** The second person does not. Whoever acts for the person is told why; another document is another mandate. @throws as `approveMandate` */
export async function refuseMandate(
  deps: MandateDeps,
  tx: Tx,
  requestId: string,
  id: string,
  reason: MandateRefusal,
  caller: Caller,
): Promise<Mandate> {
  const { request, mandate } = await undecided(deps, tx, requestId, id, caller)
  const by = toActor(caller)
  const refused = { ...mandate, decision: 'refused' as const, reason, decidedBy: by.id, decidedAt: deps.clock.now() }
  await saveMandateDecision(tx, refused)
  await deps.record(tx, requestStream(requestId), by, 'mandate_refused', { mandate: id, reason })
  await deps.tellOfRefusedMandate(tx, request, id, reason)
  await renewVersion(tx, requestId)
  return refused
}

async function undecided(deps: MandateDeps, tx: Tx, requestId: string, id: string, caller: Caller) {
  const request = await lockUninvolved(deps, tx, requestId, caller)
  const mandate = (await mandatesOf(deps, tx, requestId)).find(one => one.id === id)
  if (!mandate) throw new Problem('not_found')
  if (mandate.decision)
    throw new Problem('illegal_transition', `The mandate was ${mandate.decision}; another document is another mandate.`)
  requireSecondPerson(mandate.proposedBy, caller)
  return { request, mandate }
}
