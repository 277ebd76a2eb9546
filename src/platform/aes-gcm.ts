import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

export const NONCE_BYTES = 12
export const TAG_BYTES = 16

const ALGORITHM = 'aes-256-gcm'
const OPTIONS = { authTagLength: TAG_BYTES }

/** Sealed bytes that do not open here: changed, cut, moved to another place, or sealed under a key this process does not hold. */
export class SealBroken extends Error {
  constructor(what = 'The sealed bytes do not open: they were changed, cut or moved, or belong to another key') {
    super(what)
    this.name = 'SealBroken'
  }
}

/** Encrypts under a nonce that must never come back with the same key. Returns ciphertext and tag apart, so that the caller joins once. */
export function encrypt(key: KeyObject, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): [Buffer, Buffer] {
  const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS).setAAD(aad)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return [ciphertext, cipher.getAuthTag()]
}

/** Decrypts ciphertext followed by its tag; gives out nothing before the tag has been checked. Throws SealBroken. */
export function decrypt(key: KeyObject, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer {
  if (sealed.length < TAG_BYTES) throw new SealBroken()
  const tagAt = sealed.length - TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS).setAAD(aad).setAuthTag(sealed.subarray(tagAt))
  const plaintext = decipher.update(sealed.subarray(0, tagAt))
  try {
    decipher.final()
  } catch {
    throw new SealBroken()
  }
  return plaintext
}
