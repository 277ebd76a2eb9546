import { createHash, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough, pipeline } from 'node:stream'
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

const CHUNK = 256 * 1024
const INLINE_LIMIT = 16 * 1024

/**
 * Writes one part of an answer, sealed under the request's key from the first byte on: small ones into memory, to be kept
 * in the part's row, large ones into a blob as they come.
 */
export function writePart(blobs: BlobStore, key: KeyObject, name: string): PartWriter {
  const hash = createHash('sha256')
  let chunk: Buffer = Buffer.allocUnsafeSlow(4096)
  let filled = 0
  let bytes = 0
  let incompressible = false
  let stream: PassThrough | undefined
  let stored: Promise<unknown> | undefined

  const start = () => {
    stream = new PassThrough({ highWaterMark: 4 * CHUNK })
    const sealed = pipeline(stream, sealStream(key, name), () => {})
    stored = blobs.put(name, sealed)
    stored.catch(error => stream?.destroy(error as Error))
  }
  const flush = (): Promise<void> | undefined => {
    const full = chunk.subarray(0, filled)
    if (bytes === 0) incompressible = isIncompressible(full.subarray(0, 65_536))
    hash.update(full)
    bytes += filled
    filled = 0
    chunk = Buffer.allocUnsafeSlow(CHUNK)
    if (!stream) start()
    if (stream && !stream.write(full)) return drained(stream)
  }
  const drained = async (waiting: PassThrough) => {
    await Promise.race([once(waiting, 'drain'), stored])
  }

  return {
    write(data) {
      const size = typeof data === 'string' ? Buffer.byteLength(data) : data.length
      let waiting: Promise<void> | undefined
      if (filled + size > chunk.length) {
        if (stream || filled + size > INLINE_LIMIT) waiting = filled > 0 ? (flush() ?? undefined) : undefined
        if (filled + size > chunk.length) chunk = enlarged(chunk, filled, filled + size)
      }
      filled += typeof data === 'string' ? chunk.write(data, filled) : data.copy(chunk, filled)
      return waiting
    },
    async finish() {
      if (!stream) {
        const plain = chunk.subarray(0, filled)
        const inline = sealSmall(key, name, plain)
        return { bytes: filled, sha256: hash.update(plain).digest('hex'), incompressible: false, inline }
      }
      if (filled > 0) await flush()
      stream.end()
      await stored
      return { bytes, sha256: hash.digest('hex'), incompressible, inline: null }
    },
    async abort() {
      stream?.destroy(new Error('given up'))
      await stored?.catch(() => {})
      if (stream) await blobs.delete(name)
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
