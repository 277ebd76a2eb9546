import { randomUUIDv7 } from 'node:crypto'
import { requestStream } from '../audit/record.ts'
import type { Proof } from '../auth/assurance.ts'
import type { Actor } from '../domain/actor.ts'
import type { DsarRequest } from '../domain/request.ts'
import { type Tx, write } from '../platform/database.ts'
import { type CaseDeps, raiseAssurance } from './apply-event.ts'

/** Records a proof and has what is known weighed again. */
export async function recordProof(
  deps: CaseDeps,
  tx: Tx,
  requestId: string,
  proof: Proof,
  by: Actor,
  facts: Record<string, string> = {},
): Promise<DsarRequest> {
  const { method, level, provenAt } = proof
  await write(
    tx,
    'INSERT INTO proof (id, request_id, method, level, proven_at, by_kind, by_id) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [randomUUIDv7(), requestId, method, level, provenAt, by.kind, by.id],
  )
  await deps.record(tx, requestStream(requestId), by, 'proof_accepted', { ...facts, method, level })
  const request = await raiseAssurance(tx, requestId, level)
  if (request.state === 'verifying') await deps.enqueue(tx, 'weigh-identity', { requestId })
  return request
}
