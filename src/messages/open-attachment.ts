import type { Readable } from 'node:stream'
import type { BlobStore } from '../platform/blobs.ts'
import { openSmall, openStream, sealSmall } from '../platform/sealed-stream.ts'
import type { DataKey } from '../platform/vault.ts'
import type { DataKeyOf } from '../requests/data-key.ts'
import { type Attachment, blobKeyOf } from './attachments.store.ts'

export interface OpenAttachmentDeps {
  keyOf: DataKeyOf
  blobs: Pick<BlobStore, 'get'>
}

const nameContext = (id: string) => `attachment|name_sealed|${id}`

/** With the data key of the request the name goes, too. */
export const sealName = (key: DataKey, id: string, name: string): Buffer => sealSmall(key, nameContext(id), Buffer.from(name))

export const nameOf = (key: DataKey, { id, nameSealed }: Attachment): string | null =>
  nameSealed && openSmall(key, nameContext(id), nameSealed).toString('utf8')

/** The bytes of a file, decrypted as they are read. */
export async function openAttachment({ keyOf, blobs }: OpenAttachmentDeps, attachment: Attachment): Promise<Readable> {
  const key = await keyOf(attachment.requestId)
  const blobKey = blobKeyOf(attachment)
  const sealed = await blobs.get(blobKey)
  const plain = openStream(key, blobKey)
  sealed.once('error', error => plain.destroy(error))
  plain.once('close', () => sealed.destroy())
  return sealed.pipe(plain)
}
