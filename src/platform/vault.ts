import { createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import { deriveAll, hmac, type Keyring } from './keyring.ts'
import { keyIdOf, openBox, sealBox } from './sealed-box.ts'
import { type PublicJwk, type Signature, type Signer, signerFrom, verifySignature } from './signing.ts'
import { parseVaultKeys, readVaultKeyFile, VaultUnusable } from './vault-key-file.ts'

/** The key of one request's blobs. Kept only wrapped: once every wrapped copy is gone, so is whatever it sealed. */
export type DataKey = KeyObject

/**
 * Everything done with the service's own keys. `context` says where the bytes belong ("table|column|row id") and
 * has to be the same when opening. What does not open throws SealBroken.
 */
export interface Vault {
  readonly currentKeyId: string
  /** The key id that sealed bytes or a wrapped key name; differs from `currentKeyId` until they are made anew. */
  keyIdOf(sealed: Uint8Array): string

  seal(plaintext: Uint8Array | string, context: string): Buffer
  open(sealed: Uint8Array, context: string): Buffer
  sealJson(value: unknown, context: string): Buffer
  openJson(sealed: Uint8Array, context: string): unknown

  /** 32 bytes, equal for equal values of a kind, to find a sealed value by. The caller brings the value into its one normal form. */
  blindIndex(kind: string, value: string): Buffer
  /** The index under every key, current first: look for any of these, so that rows written before a rotation are found. */
  blindIndexes(kind: string, value: string): Buffer[]

  /** 32 bytes to keep in place of a code or token. */
  mac(purpose: string, value: string): Buffer
  /** Whether `mac` is that of `value` under any of the keys; takes as long for a near miss as for a wild one. */
  matches(mac: Uint8Array, purpose: string, value: string): boolean

  newDataKey(context: string): { key: DataKey; wrapped: Buffer }
  unwrapDataKey(wrapped: Uint8Array, context: string): DataKey
  /** The same data key wrapped under the current key. What it sealed stays as it is. */
  rewrapDataKey(wrapped: Uint8Array, context: string): Buffer

  sign(bytes: Uint8Array): Signature
  verify(bytes: Uint8Array, signature: Signature): boolean
  /** Current first, then those of older and retired keys. */
  publicKeys(): PublicJwk[]
}

/** Opens the vault from the contents of its key file. Throws VaultUnusable. */
export function openVault(keyFile: string): Vault {
  const { roots, retiredSigners } = parseVaultKeys(keyFile)
  const [signingKey, ...olderSigningKeys] = deriveAll(roots, 'signing')
  const signer = signerFrom(signingKey)
  const publicKeys = [signer.publicKey, ...olderSigningKeys.map(key => signerFrom(key).publicKey), ...retiredSigners]
  return {
    currentKeyId: roots[0].id,
    keyIdOf,
    ...columns(deriveAll(roots, 'columns')),
    ...fingerprints(deriveAll(roots, 'blind-index'), deriveAll(roots, 'mac')),
    ...dataKeys(deriveAll(roots, 'data-keys')),
    ...signatures(signer, publicKeys),
  }
}

/** Opens the vault from its key file, refusing one that others may read or write unless the caller knowingly allows it. */
export function openVaultFile(path: string, { allowOpenToOthers = false } = {}): { vault: Vault; openToOthers: boolean } {
  const { contents, openToOthers } = readVaultKeyFile(path)
  if (openToOthers && !allowOpenToOthers)
    throw new VaultUnusable(`others than its owner may read or write it (chmod 600): ${path}`)
  return { vault: openVault(contents), openToOthers }
}

function columns(keys: Keyring) {
  const seal = (plaintext: Uint8Array | string, context: string) => sealBox(keys, Buffer.from(plaintext), context)
  const open = (sealed: Uint8Array, context: string) => openBox(keys, sealed, context)
  return {
    seal,
    open,
    sealJson: (value: unknown, context: string) => seal(JSON.stringify(value), context),
    openJson: (sealed: Uint8Array, context: string): unknown => JSON.parse(open(sealed, context).toString()),
  }
}

function fingerprints(indexKeys: Keyring, macKeys: Keyring) {
  return {
    blindIndex: (kind: string, value: string) => hmac(indexKeys[0], kind, value),
    blindIndexes: (kind: string, value: string) => indexKeys.map(key => hmac(key, kind, value)),
    mac: (purpose: string, value: string) => hmac(macKeys[0], purpose, value),
    matches: (mac: Uint8Array, purpose: string, value: string) =>
      macKeys.map(key => hmac(key, purpose, value)).some(own => own.length === mac.length && timingSafeEqual(own, mac)),
  }
}

function dataKeys(keys: Keyring) {
  return {
    newDataKey(context: string) {
      const key = randomBytes(32)
      return { key: createSecretKey(key), wrapped: sealBox(keys, key, context) }
    },
    unwrapDataKey: (wrapped: Uint8Array, context: string) => createSecretKey(openBox(keys, wrapped, context)),
    rewrapDataKey: (wrapped: Uint8Array, context: string) => sealBox(keys, openBox(keys, wrapped, context), context),
  }
}

function signatures(signer: Signer, publicKeys: PublicJwk[]) {
  return {
    sign: signer.sign,
    verify: (bytes: Uint8Array, signature: Signature) => verifySignature(publicKeys, bytes, signature),
    publicKeys: () => [...publicKeys],
  }
}
