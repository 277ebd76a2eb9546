import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { markDeleted } from '../messages/attachments.store.ts'
import type { Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { destroyDataKey } from '../requests/data-key.ts'
import { cancelOpen } from '../tasks/tasks.store.ts'
import { revokeCodes } from '../verification/challenges.store.ts'
import { revokeLinks } from './links.store.ts'
import { dropTransmission } from './transmit.ts'

/**
 * Ends at once what is under way for a request and every way to what was collected, of which the key is destroyed: from then on the
 * bytes are noise. Done again, nothing happens.
 */
export async function endWork(deps: CaseDeps, tx: Tx, requestId: string): Promise<void> {
  const now = deps.clock.now()
  await cancelOpen(tx, requestId, now)
  await revokeCodes(tx, requestId, now)
  await revokeLinks(tx, requestId, now)
  await dropTransmission(deps, tx, requestId)
  await tx.query('UPDATE sealed_package SET revoked_at = coalesce(revoked_at, $2) WHERE request_id = $1', [requestId, now])
  await tx.query('DELETE FROM part WHERE request_id = $1', [requestId])
  await markDeleted(tx, requestId, now)
  if (await destroyDataKey(tx, requestId))
    await deps.record(tx, requestStream(requestId), system('retention'), 'collected_data_destroyed')
}
