import type { KeyObject } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { SealBroken } from './aes-gcm.ts'
import { inPieces } from './pieces.ts'
import {
  HEADER_BYTES,
  plaintextSize,
  SEALED_SEGMENT_BYTES,
  SEGMENT_BYTES,
  segmentCount,
  segmentsUnder,
} from './sealed-segments.ts'

/** Where the sealed bytes are: how many, and how to get those from `start` to `end`, both included. */
export interface SealedSource {
  size: number
  fetch(start: number, end: number): Promise<Readable>
}

/** Bytes of the plaintext, counted from 0, both ends included, as in an HTTP Range. */
export interface Range {
  start: number
  end: number
}

/**
 * Decrypts a part of a sealed stream, fetching only the segments it lies in. The last segment is always opened too:
 * it alone proves how long the whole is, which is what a range is counted against.
 * Throws RangeError for a range that is not in the plaintext; the stream fails with SealBroken.
 */
export function openRange(key: KeyObject, context: string, source: SealedSource, { start, end }: Range): Readable {
  if (!(start >= 0 && start <= end && end < plaintextSize(source.size))) throw new RangeError('The range is not in the plaintext')
  const [first, last, final] = [segmentAt(start), segmentAt(end), segmentCount(source.size) - 1]

  const fetchSegments = (from: number, to: number) =>
    source.fetch(sealedStart(from), Math.min(sealedStart(to + 1), source.size) - 1)

  return Readable.from(
    (async function* () {
      const segments = segmentsUnder(await buffer(await source.fetch(0, HEADER_BYTES - 1)), key, context)
      if (last < final) segments.open(await buffer(await fetchSegments(final, final)), final, true)

      const opened = inPieces(SEALED_SEGMENT_BYTES, SEALED_SEGMENT_BYTES, (piece, index, ended) => {
        const segment = first + index
        if (ended !== (segment === last)) throw new SealBroken('The store did not give the segments it was asked for')
        const plaintext = segments.open(piece, segment, segment === final)
        return plaintext.subarray(
          segment === first ? start % SEGMENT_BYTES : 0,
          segment === last ? (end % SEGMENT_BYTES) + 1 : undefined,
        )
      })
      // An error reaches the reader through `opened`; the callback has nothing to add.
      yield* pipeline(await fetchSegments(first, last), opened, () => {})
    })(),
    { objectMode: false },
  )
}

function segmentAt(plaintextOffset: number): number {
  return Math.floor(plaintextOffset / SEGMENT_BYTES)
}

function sealedStart(segment: number): number {
  return HEADER_BYTES + segment * SEALED_SEGMENT_BYTES
}
