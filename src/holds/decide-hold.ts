import { randomUUIDv7 } from 'node:crypto'
import { HOLDS, type Recorder } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { type HoldReason, type HoldState, holdState, PROPOSAL_STANDS_MS, type ReleaseReason } from '../domain/hold.ts'
import { Problem } from '../domain/problem.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Identity, IdentityDeps } from '../requests/identities.store.ts'
import * as holds from './holds.store.ts'

export interface HoldDeps extends IdentityDeps {
  record: Recorder
  clock: Clock
}

/**
 * Proposes a legal hold, which holds at once and for as long as a proposal stands. What nobody approved the same person cannot
 * propose again: alone they would hold for ever. @throws Problem `already_exists`
 */
export async function proposeHold(
  deps: HoldDeps,
  tx: Tx,
  given: { identities: readonly Identity[]; reason: HoldReason; reference: string; note?: string },
  caller: Caller,
): Promise<holds.Hold> {
  const { identities, note = null, ...rest } = given
  const before = await holds.unapprovedBy(deps, tx, caller.id, identities)
  if (before)
    throw new Problem(
      'already_exists',
      `Hold ${before}, which you proposed, was not approved; let somebody else propose another.`,
    )
  const [id, proposedAt] = [randomUUIDv7(), deps.clock.now()]
  const until = new Date(proposedAt.getTime() + PROPOSAL_STANDS_MS)
  await holds.insertHold(deps, tx, { id, ...rest, note, proposedBy: caller.id, proposedAt, until }, identities)
  await deps.record(tx, HOLDS, toActor(caller), 'hold_proposed', {
    hold: id,
    reason: rest.reason,
    identities: identities.length,
    until: until.toISOString(),
  })
  return holds.getHold(deps, tx, id)
}

/** Makes a proposed hold last until it is released. @throws Problem `not_found`, `illegal_transition`, `second_person_needed` */
export async function approveHold(deps: HoldDeps, tx: Tx, id: string, caller: Caller): Promise<holds.Hold> {
  const { proposedBy } = await lockHold(deps, tx, id, 'proposed')
  requireSecondPerson(proposedBy, caller)
  await holds.saveApproval(tx, id, caller.id, deps.clock.now())
  await deps.record(tx, HOLDS, toActor(caller), 'hold_approved', { hold: id })
  return holds.getHold(deps, tx, id)
}

/** Proposes that a hold end. It holds on meanwhile. @throws Problem `not_found`, `illegal_transition` */
export async function proposeRelease(
  deps: HoldDeps,
  tx: Tx,
  id: string,
  reason: ReleaseReason,
  caller: Caller,
): Promise<holds.Hold> {
  await lockHold(deps, tx, id, 'active')
  await holds.saveReleaseProposal(tx, id, reason, caller.id, deps.clock.now())
  await deps.record(tx, HOLDS, toActor(caller), 'release_proposed', { hold: id, reason })
  return holds.getHold(deps, tx, id)
}

/** Ends a hold. @throws Problem `not_found`, `illegal_transition`, `second_person_needed` */
export async function approveRelease(deps: HoldDeps, tx: Tx, id: string, caller: Caller): Promise<holds.Hold> {
  const { releaseProposedBy, releaseReason } = await lockHold(deps, tx, id, 'releasing')
  requireSecondPerson(releaseProposedBy ?? '', caller)
  await holds.saveRelease(tx, id, caller.id, deps.clock.now())
  await deps.record(tx, HOLDS, toActor(caller), 'hold_released', { hold: id, reason: releaseReason })
  return holds.getHold(deps, tx, id)
}

/** The hold, for this transaction alone, if it stands where it has to. @throws Problem `not_found`, `illegal_transition` */
async function lockHold(deps: HoldDeps, tx: Tx, id: string, needed: HoldState): Promise<holds.Hold> {
  const hold = await holds.getHold(deps, tx, id, { lock: true })
  const state = holdState(hold, deps.clock.now())
  if (state !== needed) throw new Problem('illegal_transition', `The hold is ${state}; this takes one that is ${needed}.`)
  return hold
}
