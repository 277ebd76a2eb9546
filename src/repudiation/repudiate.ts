import { requestStream } from '../audit/record.ts'
import { endWork } from '../delivery/end-work.ts'
import type { Said } from '../delivery/letters/letters.ts'
import { transmissionOf } from '../delivery/transmissions.store.ts'
import type { Actor } from '../domain/actor.ts'
import { isStoppable } from '../domain/lifecycle.ts'
import type { DsarRequest } from '../domain/request.ts'
import { isPackaged } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, lockRequest, setFlag } from '../requests/apply-event.ts'
import { type FreezeDeps, freezePerson } from '../requests/freeze.ts'
import { revokeCodes } from '../verification/challenges.store.ts'

/** What came of a repudiation: all was stopped, or it was too late for what had been done, or there was nothing left to stop. */
export const EFFECTS = ['stopped', 'carried_out', 'handed_over', 'ended'] as const
export type RepudiationEffect = (typeof EFFECTS)[number]

export interface RepudiateDeps extends FreezeDeps {
  /** In the caller's transaction. */
  tellOfficerOfRepudiation(tx: Tx, request: DsarRequest, effect: Said<'repudiated'>['effect']): Promise<void>
  /** To every contact point but one. */
  writeToEveryContact(
    tx: Tx,
    request: DsarRequest,
    letter: { kind: 'request-repudiated'; values: Said<'request-repudiated'> },
    but: { except?: number },
  ): Promise<void>
}

/**
 * Somebody at a contact point, or logged in as the person, says that a request is not theirs. What can be stopped is stopped at once:
 * the request ends, nobody is asked any more, no link and no code works. What cannot be undone is said to be so. The person is
 * frozen, and the officer and the other contact points are told. Said again, nothing happens.
 * @param contact number of the contact point whose letter it came by; without it, it came by the person's own session
 */
export async function repudiate(
  deps: RepudiateDeps,
  tx: Tx,
  id: string,
  by: Actor,
  contact?: number,
): Promise<RepudiationEffect> {
  const request = await lockRequest(tx, id)
  const before = await repudiationOf(tx, id)
  if (before) return before
  const effect = await effectOn(tx, request)
  await deps.record(tx, requestStream(id), by, 'repudiated', { effect, state: request.state, contact: contact ?? null })
  if (isStoppable(request.state, request.right)) await applyEvent(deps, tx, id, 'cancelled', by, { reason: 'repudiated' })
  if (effect === 'carried_out') await revokeCodes(tx, id, deps.clock.now())
  else await endWork(deps, tx, id)
  await setFlag(deps, tx, id, 'repudiated', true, by)
  await freezePerson(deps, tx, id)
  await deps.tellOfficerOfRepudiation(tx, request, effect)
  await deps.writeToEveryContact(
    tx,
    request,
    {
      kind: 'request-repudiated',
      values: { right: request.right, effect, freezeDays: deps.policy.assurance.freeze.days },
    },
    contact === undefined ? {} : { except: contact },
  )
  return effect
}

/** What came of it when a request was repudiated before. */
export async function repudiationOf(read: Tx, id: string): Promise<RepudiationEffect | undefined> {
  const [entry] = await read.query<{ effect: RepudiationEffect }[]>(
    `SELECT facts ->> 'effect' AS effect FROM audit_entry WHERE stream = $1 AND event = 'repudiated'`,
    [requestStream(id)],
  )
  return entry?.effect
}

async function effectOn(tx: Tx, { id, state, right }: DsarRequest): Promise<RepudiationEffect> {
  if (isStoppable(state, right)) return (await transmissionOf(tx, id))?.state === 'delivered' ? 'handed_over' : 'stopped'
  if (state === 'completed') return isPackaged(right) ? 'handed_over' : 'carried_out'
  return state === 'refused' || state === 'lapsed' || state === 'withdrawn' || state === 'cancelled' ? 'ended' : 'carried_out'
}
