import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { filesystemBlobs } from '../../src/platform/blobs.filesystem.ts'
import type { BlobStore } from '../../src/platform/blobs.ts'
import { openSmall, openStream } from '../../src/platform/sealed-stream.ts'
import { writePart } from '../../src/tasks/part-writer.ts'

const dir = mkdtempSync(join(tmpdir(), 'dsar-parts-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const files = filesystemBlobs(dir)
const key = createSecretKey(randomBytes(32))

/** Takes its time over every piece, so that buffers are lent for as long as can be. */
const slow: BlobStore = {
  ...files,
  put: (name, source) =>
    files.put(
      name,
      Readable.from(
        (async function* () {
          for await (const piece of source) {
            await sleep(1)
            yield piece
          }
        })(),
      ),
    ),
}

describe('a part', () => {
  test('is what was written, however slow the store is and whether its writer waits or not', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(2_000), fc.nat(200_000)), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (pieces, waits) => {
        const plain = randomBytes(pieces.reduce((sum, size) => sum + size, 0))
        const writer = writePart(slow, key, 'parts/one')
        let at = 0
        for (const size of pieces) {
          // The writer may not keep what it is given: it is used again at once, as the network's buffers are.
          const piece = Buffer.from(plain.subarray(at, at + size))
          const waiting = writer.write(piece)
          piece.fill(0)
          if (waits) await waiting
          at += size
        }
        const { bytes, sha256, inline } = await writer.finish()
        const kept = inline
          ? openSmall(key, 'parts/one', inline)
          : await buffer((await files.get('parts/one')).pipe(openStream(key, 'parts/one')))
        expect(kept.equals(plain)).toBe(true)
        expect([bytes, sha256]).toEqual([plain.length, createHash('sha256').update(plain).digest('hex')])
      }),
      { numRuns: 40 },
    )
  })

  test('that cannot be stored fails whoever waits and its end, and leaves nothing', async () => {
    const full: BlobStore = { ...files, put: () => Promise.reject(new Error('the disk is full')) }
    const writer = writePart(full, key, 'parts/two')
    const written = Promise.all([1, 2, 3].map(() => writer.write(randomBytes(100_000))))
    await expect(written).rejects.toThrow('the disk is full')
    await expect(writer.finish()).rejects.toThrow('the disk is full')
    await writer.abort()
    expect(await files.size('parts/two')).toBeUndefined()
  })

  test('that is given up leaves nothing', async () => {
    const writer = writePart(slow, key, 'parts/three')
    for (let n = 0; n < 5; n += 1) await writer.write(randomBytes(100_000))
    await writer.abort()
    expect(await files.size('parts/three')).toBeUndefined()
  })
})
