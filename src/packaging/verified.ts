import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Part } from './package-input.ts'

/** The bytes of a part, which fail at their end, or as soon as they are too many, if they are not the declared ones. */
export async function openVerified(part: Part): Promise<Readable | Buffer> {
  const content = await part.open()
  if (!Buffer.isBuffer(content)) return Readable.from(verified(content, part), { objectMode: false })
  check(part, content.length, createHash('sha256').update(content))
  return content
}

async function* verified(source: AsyncIterable<Buffer>, part: Part): AsyncGenerator<Buffer> {
  const digest = createHash('sha256')
  let bytes = 0
  for await (const chunk of source) {
    digest.update(chunk)
    bytes += chunk.length
    if (bytes > part.bytes) break
    yield chunk
  }
  check(part, bytes, digest)
}

function check(part: Part, bytes: number, digest: Hash): void {
  if (bytes !== part.bytes || digest.digest('hex') !== part.sha256)
    throw new Error(`A part of ${part.adapter}/${part.dataset} is not what was declared`)
}
