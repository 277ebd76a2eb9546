import { createHash, randomUUIDv7 } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Tx } from '../platform/database.ts'
import { sealStream } from '../platform/sealed-stream.ts'
import type { DataKey } from '../platform/vault.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { sideOf } from '../requests/messages.store.ts'
import { type Attachment, blobKeyOf, countAttachments, getAttachment, insertAttachment } from './attachments.store.ts'
import { sealName } from './open-attachment.ts'

export const MOST_BYTES = 10 * 1024 * 1024
/** Of one request, refused ones included. */
export const MOST_ATTACHMENTS = 20

/** What arrived, sealed already; nothing names it yet. */
export interface Arrived {
  id: string
  requestId: string
  bytes: number
  sha256: string
  nameSealed: Buffer
}

/**
 * Seals a file into the blob store as it comes: no byte of it is ever plain on a disk, and never much of it in memory.
 * @throws Problem `too_large`, `unprocessable` when it is empty, `invalid_request` when it breaks off; then nothing of it is left
 */
export async function receiveFile(
  { blobs }: { blobs: BlobStore },
  key: DataKey,
  { requestId, name, content }: { requestId: string; name: string; content: Readable },
): Promise<Arrived> {
  const id = randomUUIDv7()
  const blobKey = blobKeyOf({ requestId, id })
  const hash = createHash('sha256')
  let bytes = 0
  async function* measured(): AsyncGenerator<Buffer> {
    // Who sends too much is told so, which takes a connection: it is not cut.
    for await (const chunk of content.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length
      if (bytes > MOST_BYTES) throw new Problem('too_large', `An attachment has at most ${MOST_BYTES} bytes.`)
      hash.update(chunk as Buffer)
      yield chunk as Buffer
    }
    if (bytes === 0) throw new Problem('unprocessable', 'There is nothing in this file.')
  }
  try {
    await pipeline(measured, sealStream(key, blobKey), sealed => blobs.put(blobKey, sealed as AsyncIterable<Buffer>))
  } catch (error) {
    content.resume() // what is still to come is let go by, or its connection would wait for it
    throw content.errored ? new Problem('invalid_request', 'The file broke off.') : error
  }
  return { id, requestId, bytes, sha256: hash.digest('hex'), nameSealed: sealName(key, id, name) }
}

/** @throws Problem `illegal_transition` once the request has ended, `unprocessable` when it has as many as it takes */
export async function checkRoom(
  tx: Tx,
  { id, state, closedAt }: { id: string; state: string; closedAt: Date | null },
): Promise<void> {
  if (closedAt) throw new Problem('illegal_transition', `The request is '${state}': open another.`)
  if ((await countAttachments(tx, id)) >= MOST_ATTACHMENTS)
    throw new Problem('unprocessable', `A request takes ${MOST_ATTACHMENTS} attachments.`)
}

/** Writes down what arrived, on the record, and owes it to the scanner. Nobody gets it before that has called it clean. @throws Problem as `checkRoom` */
export async function keepAttachment(deps: CaseDeps, tx: Tx, arrived: Arrived, caller: Caller): Promise<Attachment> {
  const { id, requestId, bytes, sha256 } = arrived
  await checkRoom(tx, await lockRequest(tx, requestId))
  const from = sideOf(caller)
  await insertAttachment(tx, { ...arrived, from, at: deps.clock.now() })
  await deps.record(tx, requestStream(requestId), toActor(caller), 'attachment_taken', {
    attachment: id,
    side: from,
    bytes,
    sha256,
  })
  await deps.enqueue(tx, 'scan-attachment', { attachmentId: id })
  return (await getAttachment(tx, id)) as Attachment
}
