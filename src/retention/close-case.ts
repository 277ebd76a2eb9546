import { requestStream } from '../audit/record.ts'
import { revokeLinks } from '../delivery/links.store.ts'
import { dropTransmission } from '../delivery/transmit.ts'
import { system } from '../domain/actor.ts'
import { isTerminal } from '../domain/lifecycle.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Transact } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { destroyDataKey } from '../requests/data-key.ts'
import { cancelOpen } from '../tasks/tasks.store.ts'

export interface CloseDeps extends CaseDeps {
  transact: Transact
  blobs: BlobStore
}

/**
 * Ends the work on a request that was withdrawn, cancelled or lapsed: nobody is asked any more, and what had been collected
 * is destroyed, first the key to it and then the bytes. Safe to repeat from any point.
 */
export async function closeCase(deps: CloseDeps, requestId: string): Promise<void> {
  const closed = await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    if (!isTerminal(request.state) || request.state === 'completed') return false
    const now = deps.clock.now()
    await cancelOpen(tx, requestId, now)
    await revokeLinks(tx, requestId, now)
    await dropTransmission(deps, tx, requestId)
    await tx.query('UPDATE sealed_package SET revoked_at = coalesce(revoked_at, $2) WHERE request_id = $1', [requestId, now])
    await tx.query('DELETE FROM part WHERE request_id = $1', [requestId])
    if (await destroyDataKey(tx, requestId))
      await deps.record(tx, requestStream(requestId), system('retention'), 'collected_data_destroyed')
    return true
  })
  if (closed) for await (const { key } of deps.blobs.list(`requests/${requestId}/`)) await deps.blobs.delete(key)
}
