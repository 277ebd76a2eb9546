import type { Readable } from 'node:stream'

export interface StoredBlob {
  key: string
  bytes: number
  modifiedAt: Date
}

/**
 * A place for blobs: bytes under a key, there whole or not at all. It knows nothing of what they mean; whatever is
 * put here has been sealed before.
 *
 *     await pipeline(source, sealStream(key, context), sealed => blobs.put(name, sealed))
 */
export interface BlobStore {
  /** Stores everything `source` gives, replacing what was there; returns once it would survive a power cut. If it throws, no part of it is under the key. */
  put(key: string, source: Readable | AsyncIterable<Uint8Array>): Promise<{ bytes: number }>
  /** From `start` to `end`, both included. Throws BlobMissing, or RangeError if the blob is shorter. Read the stream or destroy it. */
  get(key: string, range?: { start: number; end: number }): Promise<Readable>
  size(key: string): Promise<number | undefined>
  /** Also succeeds if there is nothing to delete. */
  delete(key: string): Promise<void>
  /** Each blob whose key begins with `prefix`, in no order. */
  list(prefix: string): AsyncIterable<StoredBlob>
  /** Removes what puts that were cut off left behind and that was last written before `olderThan`; returns how many. */
  sweepPartials(olderThan: Date): Promise<number>
}

export class BlobMissing extends Error {
  constructor(key: string) {
    super(`There is no blob ${key}`)
    this.name = 'BlobMissing'
  }
}

/** Names joined by "/", each of a-z, 0-9, "_", "-" and ".", beginning with a letter or digit: a path that cannot climb. */
export function checkBlobKey(key: string): string {
  if (key.length <= 512 && /^[a-z0-9][a-z0-9_.-]*(\/[a-z0-9][a-z0-9_.-]*)*$/.test(key) && !key.includes('..')) return key
  throw new TypeError('Not a blob key')
}
