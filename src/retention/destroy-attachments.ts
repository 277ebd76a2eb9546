import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { blobKeyOf, markDeleted, outlivedAttachments } from '../messages/attachments.store.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'

export interface DestroyAttachmentsDeps extends CaseDeps {
  transact: Transact
  read: Tx
  blobs: BlobStore
  packageDays: number
}

const DAY_MS = 86_400_000

/**
 * Files that went with messages stay as long as a package does, counted from the end of the request, and no longer than its data key.
 * Bytes that cannot be deleted just now are swept with the other blobs that no row names.
 */
export async function destroyAttachments(deps: DestroyAttachmentsDeps, now: Date): Promise<void> {
  const due = await outlivedAttachments(deps.read, new Date(now.getTime() - deps.packageDays * DAY_MS))
  await eachInTurn(due, async ({ requestId }) => {
    const deleted = await deps.transact(async tx => {
      await lockRequest(tx, requestId)
      const gone = await markDeleted(tx, requestId, now)
      const ids = gone.map(({ id }) => id)
      if (ids.length > 0)
        await deps.record(tx, requestStream(requestId), system('retention'), 'attachments_destroyed', { attachments: ids })
      return gone
    })
    for (const one of deleted) await deps.blobs.delete(blobKeyOf(one))
  })
}
