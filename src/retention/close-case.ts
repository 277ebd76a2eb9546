import { endWork } from '../delivery/end-work.ts'
import { isTerminal } from '../domain/lifecycle.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Transact } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { promisedOf } from '../tasks/promises.store.ts'

export interface CloseDeps extends CaseDeps {
  transact: Transact
  blobs: BlobStore
}

/**
 * Ends the work on a request that was withdrawn, cancelled or lapsed: nobody is asked any more, who promised an answer is told so,
 * and what had been collected is destroyed, first the key to it and then the bytes. Safe to repeat from any point.
 */
export async function closeCase(deps: CloseDeps, requestId: string): Promise<void> {
  const closed = await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    if (!isTerminal(request.state) || request.state === 'completed') return false
    await endWork(deps, tx, requestId)
    if ((await promisedOf(tx, requestId)).length > 0) await deps.enqueue(tx, 'cancel-promises', { requestId })
    return true
  })
  if (closed) for await (const { key } of deps.blobs.list(`requests/${requestId}/`)) await deps.blobs.delete(key)
}
