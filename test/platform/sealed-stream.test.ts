import { createSecretKey, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SealBroken } from '../../src/platform/aes-gcm.ts'
import { openRange, type SealedSource } from '../../src/platform/sealed-range.ts'
import {
  freshHeader,
  HEADER_BYTES,
  plaintextSize,
  SEALED_SEGMENT_BYTES,
  SEGMENT_BYTES,
  sealedSize,
} from '../../src/platform/sealed-segments.ts'
import { openSmall, openStream, sealSmall, sealStream } from '../../src/platform/sealed-stream.ts'

const key = createSecretKey(randomBytes(32))
const CONTEXT = 'request 1|export.zip'

function* cut(bytes: Uint8Array, chunk: number) {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk)
}

const through = (bytes: Uint8Array, transform: ReturnType<typeof sealStream>, chunk = 64 * 1024): Promise<Buffer> =>
  pipeline(Readable.from(cut(bytes, chunk), { objectMode: false }), transform, buffer)

const seal = (bytes: Uint8Array, chunk?: number, context = CONTEXT) => through(bytes, sealStream(key, context), chunk)
const open = (bytes: Uint8Array, chunk?: number) => through(bytes, openStream(key, CONTEXT), chunk)

const flipped = (bytes: Buffer, bit: number) => {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return copy
}

const segment = (sealed: Buffer, index: number) =>
  sealed.subarray(HEADER_BYTES + index * SEALED_SEGMENT_BYTES, HEADER_BYTES + (index + 1) * SEALED_SEGMENT_BYTES)

const source = (sealed: Buffer): SealedSource & { fetched: number } => ({
  size: sealed.length,
  fetched: 0,
  async fetch(start, end) {
    this.fetched += end - start + 1
    return Readable.from(cut(sealed.subarray(start, end + 1), 50_000), { objectMode: false })
  },
})

const borders = [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES, 3 * SEGMENT_BYTES + 17]
const threeAndABit = randomBytes(3 * SEGMENT_BYTES + 17)

describe('a sealed stream', () => {
  test('opens to what was sealed, whatever the sizes of whole and chunks', async () => {
    const size = fc.oneof(fc.constantFrom(...borders), fc.nat(4 * SEGMENT_BYTES))
    const chunk = fc.oneof(
      fc.integer({ min: 1, max: 3 * SEGMENT_BYTES }),
      fc.constantFrom(100, SEGMENT_BYTES, SEALED_SEGMENT_BYTES),
    )
    await fc.assert(
      fc.asyncProperty(size, chunk, chunk, async (bytes, cutIn, cutOut) => {
        const plaintext = randomBytes(bytes)
        const sealed = await seal(plaintext, Math.max(cutIn, bytes / 1000))
        expect(sealed.length).toBe(sealedSize(bytes))
        expect(plaintextSize(sealed.length)).toBe(bytes)
        expect((await open(sealed, Math.max(cutOut, bytes / 1000))).equals(plaintext)).toBe(true)
      }),
      { numRuns: 60, examples: borders.map(bytes => [bytes, SEGMENT_BYTES, SEGMENT_BYTES]) },
    )
  })

  test('of one segment is the same whether it is sealed and opened as a stream or at once', async () => {
    for (const plaintext of [Buffer.alloc(0), randomBytes(1), randomBytes(SEGMENT_BYTES)]) {
      expect((await open(sealSmall(key, CONTEXT, plaintext))).equals(plaintext)).toBe(true)
      expect(openSmall(key, CONTEXT, await seal(plaintext)).equals(plaintext)).toBe(true)
    }
  })

  test('does not open at once when it is changed, cut, longer, or from another place', async () => {
    const sealed = sealSmall(key, CONTEXT, randomBytes(100))
    for (let bit = 0; bit < sealed.length * 8; bit += 1)
      expect(() => openSmall(key, CONTEXT, flipped(sealed, bit))).toThrow(SealBroken)
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => openSmall(key, CONTEXT, sealed.subarray(0, length))).toThrow(SealBroken)
    expect(() => openSmall(key, 'request 2|export.zip', sealed)).toThrow(SealBroken)
    const long = await seal(threeAndABit)
    expect(() => openSmall(key, CONTEXT, long)).toThrow(SealBroken)
    expect(() => sealSmall(key, CONTEXT, randomBytes(SEGMENT_BYTES + 1))).toThrow(RangeError)
  })

  test('does not open with any one bit changed, be it in header, segment or tag', async () => {
    const sealed = await seal(threeAndABit)
    const header = Array.from({ length: HEADER_BYTES * 8 }, (_, bit) => bit)
    const tag = Array.from({ length: 16 * 8 }, (_, bit) => (sealed.length - 16) * 8 + bit)
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length * 8 - 1), bit => expect(open(flipped(sealed, bit))).rejects.toThrow(SealBroken)),
      { numRuns: header.length + tag.length + 100, examples: [...header, ...tag].map(bit => [bit]) },
    )
  })

  test('gives out nothing that was not authenticated before the bytes that fail', async () => {
    const sealed = flipped(await seal(threeAndABit), (HEADER_BYTES + SEALED_SEGMENT_BYTES + 5) * 8)
    const given: Buffer[] = []
    const reading = pipeline(Readable.from(cut(sealed, 1000)), openStream(key, CONTEXT), async chunks => {
      for await (const chunk of chunks) given.push(chunk)
    })
    await expect(reading).rejects.toThrow(SealBroken)
    expect(threeAndABit.subarray(0, SEGMENT_BYTES).indexOf(Buffer.concat(given))).toBe(0)
  })

  test('does not open when cut, anywhere', async () => {
    for (const bytes of [0, 1, 2 * SEGMENT_BYTES, 3 * SEGMENT_BYTES + 17]) {
      const sealed = await seal(threeAndABit.subarray(0, bytes))
      const cuts = [0, 1, 2, 3].map(index => HEADER_BYTES + index * SEALED_SEGMENT_BYTES)
      for (const length of [0, 1, HEADER_BYTES - 1, ...cuts, sealed.length - 16, sealed.length - 1]) {
        if (length < sealed.length) await expect(open(sealed.subarray(0, length))).rejects.toThrow(SealBroken)
      }
    }
  })

  test('does not open with segments swapped, repeated, left out, or anything added', async () => {
    const sealed = await seal(threeAndABit)
    const header = sealed.subarray(0, HEADER_BYTES)
    const arranged = (...order: number[]) => Buffer.concat([header, ...order.map(index => segment(sealed, index))])
    expect((await open(arranged(0, 1, 2, 3))).equals(threeAndABit)).toBe(true)
    for (const order of [[1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [1, 2, 3], [3], [0, 1, 2, 3, 3], [0, 1, 2]]) {
      await expect(open(arranged(...order))).rejects.toThrow(SealBroken)
    }
    for (const added of [1, 16, SEALED_SEGMENT_BYTES]) {
      await expect(open(Buffer.concat([sealed, Buffer.alloc(added)]))).rejects.toThrow(SealBroken)
    }
    await expect(open(Buffer.concat([sealed, sealed]))).rejects.toThrow(SealBroken)
  })

  test('T25 does not open in place of another, nor take a segment of another', async () => {
    const [one, other] = [await seal(threeAndABit), await seal(threeAndABit)]
    const swapped = await seal(threeAndABit, undefined, 'request 2|export.zip')
    await expect(open(swapped)).rejects.toThrow(SealBroken)
    await expect(open(Buffer.concat([one.subarray(0, -33), other.subarray(-33)]))).rejects.toThrow(SealBroken)
    const otherKey = createSecretKey(randomBytes(32))
    await expect(through(one, openStream(otherKey, CONTEXT))).rejects.toThrow(SealBroken)
  })

  test('has no last segment, and so does not open, when its source broke off', async () => {
    const sealed: Buffer[] = []
    const breaking = async function* () {
      yield randomBytes(SEGMENT_BYTES * 2)
      throw new Error('cut off')
    }
    const writing = pipeline(breaking, sealStream(key, CONTEXT), async chunks => {
      for await (const chunk of chunks) sealed.push(chunk)
    })
    await expect(writing).rejects.toThrow('cut off')
    await expect(open(Buffer.concat(sealed))).rejects.toThrow(SealBroken)
  })

  test('never begins like another, so that neither its key nor its nonces are used twice', async () => {
    expect(new Set(Array.from({ length: 100_000 }, () => freshHeader().toString('latin1'))).size).toBe(100_000)
    const [one, other] = [await seal(Buffer.from('x')), await seal(Buffer.from('x'))]
    expect(one.subarray(0, HEADER_BYTES)).not.toEqual(other.subarray(0, HEADER_BYTES))
  })

  test('has only sizes that a whole one can have', () => {
    for (const size of [
      0,
      HEADER_BYTES,
      HEADER_BYTES + 15,
      sealedSize(SEGMENT_BYTES) + 1,
      sealedSize(SEGMENT_BYTES) + 16,
      Number.NaN,
    ]) {
      expect(() => plaintextSize(size)).toThrow(SealBroken)
    }
    fc.assert(fc.property(fc.maxSafeNat(), bytes => bytes > 2 ** 52 || plaintextSize(sealedSize(bytes)) === bytes))
  })
})

describe('a range of a sealed stream', () => {
  test('is the same as that slice of the plaintext', async () => {
    const sealed = await seal(threeAndABit)
    const at = fc.oneof(
      fc.nat(threeAndABit.length - 1),
      fc.constantFrom(0, SEGMENT_BYTES - 1, SEGMENT_BYTES, 3 * SEGMENT_BYTES + 16),
    )
    await fc.assert(
      fc.asyncProperty(at, at, async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        const range = await buffer(openRange(key, CONTEXT, source(sealed), { start, end }))
        expect(range.equals(threeAndABit.subarray(start, end + 1))).toBe(true)
      }),
    )
  })

  test('takes no more than its own segments, the header and the last one', async () => {
    const sealed = await seal(randomBytes(10 * SEGMENT_BYTES))
    const store = source(sealed)
    await buffer(openRange(key, CONTEXT, store, { start: 5 * SEGMENT_BYTES, end: 5 * SEGMENT_BYTES + 9 }))
    expect(store.fetched).toBe(HEADER_BYTES + 2 * SEALED_SEGMENT_BYTES)
  })

  test.each([
    [-1, 0],
    [5, 4],
    [0, threeAndABit.length],
    [Number.NaN, 1],
  ])('is refused when it is not in the plaintext: %d-%d', async (start, end) => {
    const sealed = await seal(threeAndABit)
    expect(() => openRange(key, CONTEXT, source(sealed), { start, end })).toThrow(RangeError)
  })

  test('does not open when the whole was cut at a segment, though the range itself is untouched', async () => {
    const sealed = await seal(threeAndABit)
    const shortened = sealed.subarray(0, HEADER_BYTES + 2 * SEALED_SEGMENT_BYTES)
    await expect(buffer(openRange(key, CONTEXT, source(shortened), { start: 0, end: 9 }))).rejects.toThrow(SealBroken)
  })

  test('does not open when a bit of its segments was changed, or when it belongs elsewhere', async () => {
    const sealed = await seal(threeAndABit)
    const range = { start: SEGMENT_BYTES + 1, end: SEGMENT_BYTES + 2 }
    const changed = source(flipped(sealed, (HEADER_BYTES + SEALED_SEGMENT_BYTES + 40_000) * 8))
    await expect(buffer(openRange(key, CONTEXT, changed, range))).rejects.toThrow(SealBroken)
    await expect(buffer(openRange(key, 'elsewhere', source(sealed), range))).rejects.toThrow(SealBroken)
  })

  test('fails rather than end early when the store gives fewer segments than asked for', async () => {
    const sealed = await seal(threeAndABit)
    const short: SealedSource = {
      size: sealed.length,
      fetch: async (start, end) =>
        Readable.from(cut(sealed.subarray(start, Math.min(end + 1, start + SEALED_SEGMENT_BYTES)), 70_000)),
    }
    const reading = buffer(openRange(key, CONTEXT, short, { start: 0, end: 2 * SEGMENT_BYTES }))
    await expect(reading).rejects.toThrow(SealBroken)
  })

  test('lets go of the store when its reader leaves, and passes on its errors', async () => {
    const sealed = await seal(threeAndABit)
    const opened: Readable[] = []
    const store: SealedSource = {
      size: sealed.length,
      fetch: async (start, end) => {
        const stream = Readable.from(cut(sealed.subarray(start, end + 1), 1000))
        opened.push(stream)
        return stream
      },
    }
    for await (const _ of openRange(key, CONTEXT, store, { start: 0, end: threeAndABit.length - 1 })) break
    expect(opened.map(stream => stream.destroyed)).toEqual(opened.map(() => true))

    const failing: SealedSource = { size: sealed.length, fetch: () => Promise.reject(new Error('store is down')) }
    await expect(buffer(openRange(key, CONTEXT, failing, { start: 0, end: 1 }))).rejects.toThrow('store is down')
  })
})
