import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { NamedKey } from './keyring.ts'

export interface Signature {
  keyId: string
  algorithm: 'Ed25519'
  signature: Buffer
}

/** A public key as anybody may have it (RFC 8037; `alg` as in RFC 9864). */
export interface PublicJwk {
  kty: 'OKP'
  crv: 'Ed25519'
  x: string
  kid: string
  use: 'sig'
  alg: 'Ed25519'
}

export interface Signer {
  sign(bytes: Uint8Array): Signature
  publicKey: PublicJwk
}

// What PKCS #8 puts before the 32 bytes of an Ed25519 seed (RFC 8410, 7).
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A signer whose key pair follows from 32 secret bytes: the same seed always gives the same public key. */
export function signerFrom({ id, key: seed }: NamedKey): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed.export()]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  return {
    sign: bytes => ({ keyId: id, algorithm: 'Ed25519', signature: sign(null, bytes, privateKey) }),
    publicKey: publicJwk(id, x),
  }
}

export function publicJwk(kid: string, x: string): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'Ed25519' }
}

/** Whether one of these keys, the one the signature names, made it over exactly these bytes. Needs no secret. */
export function verifySignature(
  keys: readonly PublicJwk[],
  bytes: Uint8Array,
  { keyId, algorithm, signature }: Signature,
): boolean {
  const jwk = keys.find(key => key.kid === keyId)
  return jwk !== undefined && algorithm === 'Ed25519' && verify(null, bytes, publicKeyOf(jwk), signature)
}

export function toPem(jwk: PublicJwk): string {
  return publicKeyOf(jwk).export({ format: 'pem', type: 'spki' }).toString()
}

function publicKeyOf({ kty, crv, x }: PublicJwk): KeyObject {
  return createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
}
