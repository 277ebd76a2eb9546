import { randomUUIDv7 } from 'node:crypto'
import { requestStream } from '../audit/record.ts'
import type { Proof, ProofMethod } from '../auth/assurance.ts'
import type { Actor } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import { isRepresentative } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import { type Tx, write } from '../platform/database.ts'
import { type CaseDeps, lockRequest, raiseAssurance } from './apply-event.ts'

/** Where somebody acts for the person, nobody vouches for either: the person shows who they are, or two people saw the mandate. */
const FIRST_HAND: ReadonlySet<ProofMethod> = new Set<ProofMethod>(['email_code', 'portal_login', 'mandate'])

/**
 * Records a proof and has what is known weighed again.
 * @throws Problem `illegal_transition` for hearsay about whoever is acted for; `step_up_required` for one that was given before proofs
 * had to be given anew
 */
export async function recordProof(
  deps: CaseDeps,
  tx: Tx,
  requestId: string,
  proof: Proof,
  by: Actor,
  facts: Record<string, string> = {},
): Promise<DsarRequest> {
  const { method, level, provenAt } = proof
  const { relationship, state } = await lockRequest(tx, requestId)
  if (isRepresentative(relationship) && !FIRST_HAND.has(method))
    throw new Problem('illegal_transition', 'Somebody acts for the person: they confirm it themselves, or a mandate is approved.')
  if (state !== 'received' && state !== 'verifying') await refuseOutdated(tx, requestId, provenAt)
  await write(
    tx,
    'INSERT INTO proof (id, request_id, method, level, proven_at, by_kind, by_id) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [randomUUIDv7(), requestId, method, level, provenAt, by.kind, by.id],
  )
  await deps.record(tx, requestStream(requestId), by, 'proof_accepted', { ...facts, method, level })
  const request = await raiseAssurance(tx, requestId, level)
  if (state !== 'received') await deps.enqueue(tx, 'weigh-identity', { requestId })
  return request
}

/** What was shown before an address was changed shows nothing after it: whoever changed it may have been the same. */
async function refuseOutdated(tx: Tx, requestId: string, provenAt: Date): Promise<void> {
  const outdated = await tx.query<unknown[]>('SELECT 1 FROM proof WHERE request_id = $1 AND void_since >= $2 LIMIT 1', [
    requestId,
    provenAt,
  ])
  if (outdated.length > 0)
    throw new Problem('step_up_required', 'An address on file has changed since: log in again, or type a new code.')
}
