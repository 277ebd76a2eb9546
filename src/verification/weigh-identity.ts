import { system } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { identitiesOf } from '../requests/identities.store.ts'
import { resolutionOf } from './resolution.ts'
import { type ChallengeDeps, sendChallenge } from './send-challenge.ts'

export interface WeighDeps extends CaseDeps, ChallengeDeps {
  transact: Transact
  writeLetterToSubject(tx: Tx, request: DsarRequest, letter: { kind: 'login-needed'; values: { right: Right } }): Promise<void>
}

const BY = system('verification')

/**
 * Weighs what is known about who asks, once those who know people have answered and after every proof: goes on when the
 * person is known well enough, else sends a code to an address on file, else leaves the case to the staff.
 */
export async function weighIdentity(deps: WeighDeps, requestId: string): Promise<void> {
  await deps.transact(tx => weigh(deps, tx, requestId))
}

async function weigh(deps: WeighDeps, tx: Tx, requestId: string): Promise<void> {
  const request = await lockRequest(tx, requestId)
  if (request.state !== 'verifying' || request.flags.includes('on_hold')) return
  const { unasked, unanswered } = await resolutionOf(tx, requestId)
  if (unasked) await deps.enqueue(tx, 'ask-who', { requestId })
  if (unasked || unanswered) return

  const known = (await identitiesOf(deps, tx, requestId)).some(({ provenance }) => provenance !== 'named')
  if (known && request.assurance >= request.assuranceNeeded) {
    await setFlag(deps, tx, requestId, 'not_identified', false, BY)
    await applyEvent(deps, tx, requestId, 'identity_confirmed', BY, { assurance: request.assurance })
    return
  }
  // What they have shown does not reach: another code would not either.
  if (known && request.assurance > 0)
    await deps.writeLetterToSubject(tx, request, { kind: 'login-needed', values: { right: request.right } })
  const sent = known && (await sendOnce(deps, tx, requestId))
  if (!sent) await setFlag(deps, tx, requestId, 'not_identified', true, BY)
}

/** The first code goes out by itself, if need be an hour later, when the mailbox can have one again; further ones are asked for. */
async function sendOnce(deps: WeighDeps, tx: Tx, requestId: string): Promise<boolean> {
  const before = await tx.query<unknown[]>(`SELECT 1 FROM challenge WHERE request_id = $1 AND purpose = 'identity'`, [requestId])
  if (before.length > 0) return true
  try {
    return await sendChallenge(deps, tx, await lockRequest(tx, requestId), 'identity')
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'too_many_requests')) throw error
    await deps.enqueue(tx, 'weigh-identity', { requestId }, { afterSeconds: error.retryAfter ?? 3600 })
    return true
  }
}
