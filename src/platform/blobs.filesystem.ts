import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { mkdirSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BlobMissing, type BlobStore, checkBlobKey, type StoredBlob } from './blobs.ts'

const DIRECTORY = { recursive: true, mode: 0o700 }
const FILE_MODE = 0o600
const READ_BYTES = 64 * 1024

/** Blobs as files under `folder`, which has to be one file system. No key begins with a dot, so partial files have a folder to themselves. */
export function filesystemBlobs(folder: string): BlobStore {
  const root = resolve(folder)
  const partials = join(root, '.partial')
  mkdirSync(partials, DIRECTORY)
  const pathOf = (key: string) => join(root, checkBlobKey(key))

  return {
    async put(key, source) {
      const path = pathOf(key)
      let written = join(partials, `${randomUUID()}.partial`)
      try {
        const bytes = await pipeline(source, (chunks: AsyncIterable<Uint8Array>) => writeDurably(written, chunks))
        await mkdir(dirname(path), DIRECTORY)
        await rename(written, path)
        written = path
        await syncDirectories(dirname(path), root)
        return { bytes }
      } catch (error) {
        await rm(written, { force: true })
        throw error
      }
    },

    async get(key, range) {
      const path = pathOf(key)
      const bytes = await sizeOf(path)
      if (bytes === undefined) throw new BlobMissing(key)
      if (range && !(range.start >= 0 && range.start <= range.end && range.end < bytes))
        throw new RangeError('The range is not in the blob')
      const file = await open(path).catch(absent)
      if (!file) throw new BlobMissing(key)
      return file.createReadStream({ ...range, highWaterMark: READ_BYTES })
    },

    size: async key => sizeOf(pathOf(key)),

    async delete(key) {
      const path = pathOf(key)
      await unlink(path).catch(absent)
      await syncDirectories(dirname(path), dirname(path)).catch(absent)
    },

    async *list(prefix) {
      // A prefix is the beginning of a key; completed by a letter it has to be one.
      checkBlobKey(`${prefix}a`)
      for await (const blob of walk(root, prefix.slice(0, prefix.lastIndexOf('/') + 1))) {
        if (blob.key.startsWith(prefix)) yield blob
      }
    },

    sweepPartials: olderThan => sweep(partials, olderThan),
  }
}

async function sweep(partials: string, olderThan: Date): Promise<number> {
  let swept = 0
  for (const name of await readdir(partials)) {
    const file = await stat(join(partials, name)).catch(absent)
    if (!file || file.mtime >= olderThan) continue
    await rm(join(partials, name), { force: true })
    swept += 1
  }
  return swept
}

/** Writes a new file and has the disk confirm it. */
async function writeDurably(path: string, source: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'wx', FILE_MODE)
  try {
    await file.writeFile(source)
    await file.sync()
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

/** A new or removed name is safe only once the folder that lists it is, and each folder above that may be new as well. */
async function syncDirectories(from: string, upTo: string): Promise<void> {
  if (process.platform === 'win32') return // where a folder cannot be opened
  const directory = await open(from)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
  if (from !== upTo) await syncDirectories(dirname(from), upTo)
}

async function sizeOf(path: string): Promise<number | undefined> {
  const file = await stat(path).catch(absent)
  return file?.isFile() ? file.size : undefined
}

async function* walk(root: string, folder: string): AsyncGenerator<StoredBlob> {
  for (const entry of (await readdir(join(root, folder), { withFileTypes: true }).catch(absent)) ?? []) {
    const key = folder + entry.name
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) {
      yield* walk(root, `${key}/`)
      continue
    }
    const file: Stats | undefined = await stat(join(root, key)).catch(absent)
    if (file) yield { key, bytes: file.size, modifiedAt: file.mtime }
  }
}

/** What is not there (any more) is an answer, not a failure; every other error stays one. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.code ?? '')) throw error
}
