import { type KeyObject, randomBytes } from 'node:crypto'
import { decrypt, encrypt, NONCE_BYTES, SealBroken, TAG_BYTES } from './aes-gcm.ts'
import { derive } from './keyring.ts'

/*
 * A sealed stream: magic and version (8 bytes), salt (32), nonce prefix (7), then segments of 64 KiB plaintext, each
 * followed by its tag. The last is 1 byte to 64 KiB (empty only where everything is). This is the STREAM construction
 * (Hoang, Reyhanitabar, Rogaway, Vizár 2015): nonce = prefix ‖ number of the segment ‖ whether it is the last, so that
 * no segment can be changed, moved, left out or added. The salt gives each stream a key of its own, so that nonces of
 * two streams never meet; header and context are authenticated with each segment.
 */
const MAGIC = Buffer.from('sealed\0\x01')
const SALT_BYTES = 32
const PREFIX_BYTES = 7

export const HEADER_BYTES = MAGIC.length + SALT_BYTES + PREFIX_BYTES
export const SEGMENT_BYTES = 64 * 1024
export const SEALED_SEGMENT_BYTES = SEGMENT_BYTES + TAG_BYTES

export interface Segments {
  seal(plaintext: Uint8Array, index: number, last: boolean): [Buffer, Buffer]
  open(sealed: Uint8Array, index: number, last: boolean): Buffer
}

export function freshHeader(): Buffer {
  return Buffer.concat([MAGIC, randomBytes(SALT_BYTES + PREFIX_BYTES)])
}

/** How the segments under this header are sealed and opened. Throws SealBroken for what is no header. */
export function segmentsUnder(header: Uint8Array, key: KeyObject, context: string): Segments {
  if (header.length !== HEADER_BYTES || !MAGIC.equals(header.subarray(0, MAGIC.length))) {
    throw new SealBroken('The bytes are not a sealed stream')
  }
  const prefixAt = MAGIC.length + SALT_BYTES
  const ownKey = derive(key, 'sealed-stream', header.subarray(MAGIC.length, prefixAt))
  const aad = Buffer.concat([header, Buffer.from(context)])
  const nonceOf = (index: number, last: boolean) => {
    const nonce = Buffer.alloc(NONCE_BYTES)
    nonce.set(header.subarray(prefixAt))
    nonce.writeUInt32BE(index, PREFIX_BYTES) // throws after 256 TiB rather than start over
    nonce.writeUInt8(last ? 1 : 0, NONCE_BYTES - 1)
    return nonce
  }
  return {
    seal: (plaintext, index, last) => encrypt(ownKey, nonceOf(index, last), aad, plaintext),
    open: (sealed, index, last) => decrypt(ownKey, nonceOf(index, last), aad, sealed),
  }
}

/** How many segments a sealed stream of this size has. Throws SealBroken if none can have it. */
export function segmentCount(sealedSize: number): number {
  const segments = Math.ceil((sealedSize - HEADER_BYTES) / SEALED_SEGMENT_BYTES)
  const lastBytes = sealedSize - HEADER_BYTES - (segments - 1) * SEALED_SEGMENT_BYTES
  const fewest = segments === 1 ? TAG_BYTES : TAG_BYTES + 1
  if (!(segments >= 1 && lastBytes >= fewest)) {
    throw new SealBroken('No sealed stream has this size')
  }
  return segments
}

export function plaintextSize(sealedSize: number): number {
  return sealedSize - HEADER_BYTES - segmentCount(sealedSize) * TAG_BYTES
}

export function sealedSize(plaintextSize: number): number {
  return HEADER_BYTES + plaintextSize + Math.max(1, Math.ceil(plaintextSize / SEGMENT_BYTES)) * TAG_BYTES
}
