import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** A key and the id that travels with everything made with it. A KeyObject shows nothing of itself when printed or serialised. */
export interface NamedKey {
  id: string
  key: KeyObject
}

/** Keys of one purpose. New things are made with the first; each of them opens what it once made. */
export type Keyring = readonly [NamedKey, ...NamedKey[]]

/** HKDF-SHA256 (RFC 5869): 32 bytes bound to a purpose, so that no key ever serves two. */
export function derive(key: KeyObject, purpose: string, salt: Uint8Array = Buffer.alloc(0)): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, `dsar-service/1/${purpose}`, 32)))
}

export function deriveAll(roots: Keyring, purpose: string): Keyring {
  const [first, ...rest] = roots
  const named = ({ id, key }: NamedKey): NamedKey => ({ id, key: derive(key, purpose) })
  return [named(first), ...rest.map(named)]
}

/** HMAC-SHA256 of a pair. JSON keeps the two apart: no other pair of strings is written the same way. */
export function hmac({ key }: NamedKey, kind: string, value: string): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([kind, value]))
    .digest()
}
