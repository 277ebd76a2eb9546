import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

const RSA_MIN_BITS = 2048

/** PEM, or a JWK object. */
type PublicKeyText = string | Record<string, unknown>

/** The configured key of an issuer that publishes no key set. @throws Error when it is not a public key strong enough. */
export function publicKeyOf(publicKey: PublicKeyText): KeyObject {
  const key = read(publicKey)
  if (isWeak(key)) throw new Error(`is an RSA key of less than ${RSA_MIN_BITS} bits`)
  return key
}

function read(publicKey: PublicKeyText): KeyObject {
  try {
    if (typeof publicKey === 'string') return createPublicKey(publicKey)
    return createPublicKey({ key: publicKey as JsonWebKey, format: 'jwk' })
  } catch {
    throw new Error('is not a public key in PEM or JWK form')
  }
}

/** RFC 7518, 3.3: RSA keys of 2048 bits or more. */
export const isWeak = (key: KeyObject): boolean =>
  key.asymmetricKeyType?.startsWith('rsa') === true && (key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_MIN_BITS
