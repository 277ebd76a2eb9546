import { Problem } from '../domain/problem.ts'
import { awaitsProof, type DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { lockRequest } from '../requests/apply-event.ts'

/**
 * A request for which something is to be shown: to begin with, or anew while it is under way.
 * @throws Problem `illegal_transition` where nothing is to be proven, not any more or not yet
 */
export async function requireUnproven(tx: Tx, requestId: string): Promise<DsarRequest> {
  const request = await lockRequest(tx, requestId)
  if (request.state !== 'verifying' && (request.state === 'received' || !awaitsProof(request)))
    throw new Problem('illegal_transition', `A request that is '${request.state}' takes no further proof.`)
  return request
}
