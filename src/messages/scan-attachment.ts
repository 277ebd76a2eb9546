import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { blobKeyOf, getAttachment, settleScan } from './attachments.store.ts'
import { type OpenAttachmentDeps, openAttachment } from './open-attachment.ts'
import { type ScannerDeps, scan } from './scanner.ts'

export interface ScanDeps extends CaseDeps, ScannerDeps, OpenAttachmentDeps {
  transact: Transact
  read: Tx
  blobs: BlobStore
}

const BY = system('scanner')

/** Has a file judged. As long as the scanner does not say, this fails and is tried again; what was refused is destroyed. Safe to repeat from any point. */
export async function scanAttachment(deps: ScanDeps, attachmentId: string): Promise<void> {
  const attachment = await getAttachment(deps.read, attachmentId)
  if (attachment?.state !== 'scanning') return
  const verdict = await scan(deps, attachment.bytes, await openAttachment(deps, attachment))
  const found = verdict.clean ? null : verdict.found
  await deps.transact(async tx => {
    await lockRequest(tx, attachment.requestId)
    if (!(await settleScan(tx, attachment.id, { found, at: deps.clock.now() }))) return
    const facts = { attachment: attachment.id, ...(found !== null && { found }) }
    await deps.record(
      tx,
      requestStream(attachment.requestId),
      BY,
      verdict.clean ? 'attachment_clean' : 'attachment_refused',
      facts,
    )
  })
  if (!verdict.clean) await deps.blobs.delete(blobKeyOf(attachment))
}
