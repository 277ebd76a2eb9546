import { createHash, type KeyObject } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import type { BlobStore } from '../platform/blobs.ts'
import { sealSmall, sealStream } from '../platform/sealed-stream.ts'

export interface WrittenPart {
  bytes: number
  /** SHA-256 of the plain bytes, in hex. */
  sha256: string
  /** Whether compressing it again would be wasted. */
  incompressible: boolean
  /** The sealed bytes themselves where they are few; a file each would cost more than it holds. */
  inline: Buffer | null
}

export interface PartWriter {
  /** Adds bytes. A promise comes back only when the store cannot keep up: await it before the next. */
  write(bytes: Buffer | string): void | Promise<void>
  finish(): Promise<WrittenPart>
  /** Leaves nothing behind. */
  abort(): Promise<void>
}

const CHUNK = 64 * 1024
const INLINE_LIMIT = 16 * 1024

/**
 * Writes one part of an answer, sealed under the request's key from the first byte on: small ones into memory, to be kept
 * in the part's row, large ones into a blob as they come. A few buffers take turns: one is filled while others are sealed.
 */
export function writePart(blobs: BlobStore, key: KeyObject, name: string): PartWriter {
  const hash = createHash('sha256')
  let chunk: Buffer = Buffer.allocUnsafeSlow(4096)
  let filled = 0
  let bytes = 0
  let incompressible = false
  let blob: LentInto | undefined

  const flush = (): Promise<void> => {
    const full = chunk.subarray(0, filled)
    if (bytes === 0) incompressible = isIncompressible(full)
    hash.update(full)
    blob ??= lentInto(blobs, key, name)
    const room = blob.lend(chunk, filled)
    bytes += filled
    filled = 0
    chunk = blob.spare()
    return room
  }

  return {
    write(data) {
      const size = typeof data === 'string' ? Buffer.byteLength(data) : data.length
      let waiting: Promise<void> | undefined
      if (filled + size > chunk.length) {
        if (filled > 0 && (blob || filled + size > INLINE_LIMIT)) waiting = flush()
        waiting?.catch(() => {}) // whoever does not wait is told by `finish`
        if (filled + size > chunk.length) chunk = enlarged(chunk, filled, filled + size)
      }
      filled += typeof data === 'string' ? chunk.write(data, filled) : data.copy(chunk, filled)
      return waiting
    },
    async finish() {
      if (!blob && filled <= INLINE_LIMIT) {
        const plain = chunk.subarray(0, filled)
        const inline = sealSmall(key, name, plain)
        return { bytes: filled, sha256: hash.update(plain).digest('hex'), incompressible: false, inline }
      }
      if (filled > 0) await flush()
      await blob?.end()
      return { bytes, sha256: hash.digest('hex'), incompressible, inline: null }
    },
    async abort() {
      if (!blob) return
      await blob.giveUp()
      await blobs.delete(name)
    },
  }
}

type LentInto = ReturnType<typeof lentInto>

/** Seals into a blob the bytes of buffers that are only lent: each comes back, as one of the spare, once it has been sealed. */
function lentInto(blobs: BlobStore, key: KeyObject, name: string) {
  const stream = sealStream(key, name).on('error', () => {}) // whoever stores it is told
  const stored = blobs.put(name, stream)
  stored.catch(error => stream.destroy(error as Error))
  const spare: Buffer[] = []
  let sealed: Promise<unknown> = Promise.resolve()
  return {
    spare: () => spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK),
    /** @returns once what was lent before has been sealed. @throws what the store threw */
    async lend(buffer: Buffer, filled: number): Promise<void> {
      const before = sealed
      sealed = new Promise<void>(done => stream.write(buffer.subarray(0, filled), () => done())).then(
        () => buffer.length === CHUNK && spare.push(buffer),
      )
      await Promise.race([before, stored])
    },
    async end(): Promise<void> {
      stream.end()
      await stored
    },
    async giveUp(): Promise<void> {
      stream.destroy(new Error('given up'))
      await stored.catch(() => {})
    },
  }
}

const isIncompressible = (start: Buffer): boolean =>
  start.length > 1024 && deflateRawSync(start, { level: 1 }).length > start.length * 0.97

function enlarged(chunk: Buffer, filled: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(4 * chunk.length, CHUNK)))
  chunk.copy(larger, 0, 0, filled)
  return larger
}
