import { fileURLToPath } from 'node:url'
import { filesystemBlobs } from './blobs.filesystem.ts'
import type { BlobStore } from './blobs.ts'

/** Opens the store a URL names: `file:///folder`. Throws if it is of another kind or the folder cannot be made. */
export function openBlobStore(url: string): BlobStore {
  const { protocol } = new URL(url)
  if (protocol === 'file:') return filesystemBlobs(fileURLToPath(url))
  throw new Error(`Blob stores of the kind "${protocol}" are not supported yet; use file:///…`)
}
