import { randomBytes } from 'node:crypto'
import { decrypt, encrypt, NONCE_BYTES, SealBroken } from './aes-gcm.ts'
import type { Keyring } from './keyring.ts'

/*
 * A sealed box: version (1 byte), length of the key id (1), key id, nonce (12), ciphertext, tag (16).
 * Everything before the nonce is authenticated together with the context. Nonces are random, which is
 * sound for 2^32 boxes per key (NIST SP 800-38D, 8.3): rotate long before.
 */
const VERSION = 1

/** Seals bytes under the first key, for one place only: they open with the same context and no other. */
export function sealBox(keyring: Keyring, plaintext: Uint8Array, context: string): Buffer {
  const [{ id, key }] = keyring
  const header = Buffer.concat([Uint8Array.of(VERSION, id.length), Buffer.from(id)])
  const nonce = randomBytes(NONCE_BYTES)
  return Buffer.concat([header, nonce, ...encrypt(key, nonce, bind(header, context), plaintext)])
}

/** Opens a box made by `sealBox` with any of the keys. Throws SealBroken. */
export function openBox(keyring: Keyring, sealed: Uint8Array, context: string): Buffer {
  const id = keyIdOf(sealed)
  const holder = keyring.find(key => key.id === id)
  if (!holder) throw new SealBroken('The bytes are sealed under a key that is not in the key file')
  const nonceAt = 2 + id.length
  const bodyAt = nonceAt + NONCE_BYTES
  const aad = bind(sealed.subarray(0, nonceAt), context)
  return decrypt(holder.key, sealed.subarray(nonceAt, bodyAt), aad, sealed.subarray(bodyAt))
}

/** The id of the key a box claims to be sealed under: tells what is still to be sealed anew after a rotation. */
export function keyIdOf(sealed: Uint8Array): string {
  const [version, idLength = 0] = sealed
  if (version !== VERSION || sealed.length < 2 + idLength + NONCE_BYTES) throw new SealBroken('The bytes are not a sealed box')
  return Buffer.from(sealed.subarray(2, 2 + idLength)).toString('latin1')
}

/** The header says where it ends, so no other header and context join to the same bytes. */
function bind(header: Uint8Array, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context)])
}
