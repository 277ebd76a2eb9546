import type { KeyObject } from 'node:crypto'
import type { Transform } from 'node:stream'
import { SealBroken } from './aes-gcm.ts'
import { inPieces } from './pieces.ts'
import {
  freshHeader,
  HEADER_BYTES,
  SEALED_SEGMENT_BYTES,
  SEGMENT_BYTES,
  type Segments,
  segmentsUnder,
} from './sealed-segments.ts'

/**
 * Encrypts what passes through, in constant memory, for one place only (`context`: request id | blob name).
 * A stream that breaks off has no last segment and will not open: join with `pipeline`, never `pipe`.
 */
export function sealStream(key: KeyObject, context: string): Transform {
  const header = freshHeader()
  const segments = segmentsUnder(header, key, context)
  return inPieces(SEGMENT_BYTES, SEGMENT_BYTES, (plaintext, index, last) => {
    const sealed = segments.seal(plaintext, index, last)
    return Buffer.concat(index === 0 ? [header, ...sealed] : sealed)
  })
}

/** The same for bytes at hand that fit one segment: no stream, for what is small and many. */
export function sealSmall(key: KeyObject, context: string, plaintext: Uint8Array): Buffer {
  if (plaintext.length > SEGMENT_BYTES) throw new RangeError('More than one segment')
  const header = freshHeader()
  return Buffer.concat([header, ...segmentsUnder(header, key, context).seal(plaintext, 0, true)])
}

/** Decrypts a sealed stream of one segment. Throws SealBroken. */
export function openSmall(key: KeyObject, context: string, sealed: Buffer): Buffer {
  return segmentsUnder(sealed.subarray(0, HEADER_BYTES), key, context).open(sealed.subarray(HEADER_BYTES), 0, true)
}

/**
 * Decrypts what `sealStream` made. Each byte it gives out has been authenticated in its place, but only the end of the
 * stream says that it was whole: it fails with SealBroken, possibly after its first segments, if anything is amiss.
 */
export function openStream(key: KeyObject, context: string): Transform {
  let segments: Segments | undefined
  return inPieces(HEADER_BYTES, SEALED_SEGMENT_BYTES, (piece, index, last) => {
    if (segments) return segments.open(piece, index - 1, last)
    if (last) throw new SealBroken('The sealed stream ends in its header')
    segments = segmentsUnder(Buffer.from(piece), key, context)
    return undefined
  })
}
