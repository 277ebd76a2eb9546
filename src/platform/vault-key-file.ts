import { createSecretKey, randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import type { Keyring, NamedKey } from './keyring.ts'
import { type PublicJwk, publicJwk } from './signing.ts'

/**
 * The one file with secrets. Everything the vault uses is derived from `keys`; the first is used for writing,
 * all of them for reading. To rotate: put a new key in front, restart, seal anew what names the old one, then take
 * the old one out and leave its public signing key under `retiredSigners`, so that old signatures can still be checked.
 *
 *     { "keys": [{ "id": "k2", "secret": "<32 bytes, base64>", "createdOn": "2026-09-01" }, { "id": "k1", … }],
 *       "retiredSigners": [{ "id": "k0", "x": "<public key, base64url>" }] }
 */
interface KeyFile {
  keys: { id: string; secret: string; createdOn?: string }[]
  retiredSigners?: { id: string; x: string }[]
}

export interface VaultKeys {
  roots: Keyring
  retiredSigners: PublicJwk[]
}

/** The key file is missing, unreadable or not what it has to be. Says what is wrong, never what is in the file. */
export class VaultUnusable extends Error {
  constructor(what: string) {
    super(`Vault key file: ${what}`)
    this.name = 'VaultUnusable'
  }
}

/** A key file with one fresh key. `createdOn` (a day) is for the reader only. */
export function generateVaultKeyFile(createdOn?: string): string {
  return write({ keys: [freshKey(createdOn)] })
}

/** The same key file with a fresh key in front, which from the next start on is the one used for writing. */
export function addVaultKey(contents: string, createdOn?: string): string {
  parseVaultKeys(contents)
  const file = parseJson(contents) as KeyFile
  return write({ ...file, keys: [freshKey(createdOn), ...file.keys] })
}

export function parseVaultKeys(contents: string): VaultKeys {
  const { keys, retiredSigners = [] } = (parseJson(contents) ?? {}) as Partial<Record<keyof KeyFile, unknown>>
  if (!Array.isArray(keys)) throw new VaultUnusable('"keys" is not a list')
  if (!Array.isArray(retiredSigners)) throw new VaultUnusable('"retiredSigners" is not a list')
  const [first, ...rest] = keys.map(namedKey)
  if (!first) throw new VaultUnusable('there is no key in it')
  const retired = retiredSigners.map(retiredSigner)
  const ids = [first, ...rest].map(key => key.id).concat(retired.map(jwk => jwk.kid))
  if (new Set(ids).size < ids.length) throw new VaultUnusable('two keys have the same id')
  return { roots: [first, ...rest], retiredSigners: retired }
}

/** Reads a key file and tells whether anybody but its owner may read or write it (POSIX modes; always false on Windows). */
export function readVaultKeyFile(path: string): { contents: string; openToOthers: boolean } {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const openToOthers = process.platform !== 'win32' && (fstatSync(file).mode & 0o077) !== 0
    return { contents: readFileSync(file, 'utf8'), openToOthers }
  } catch (error) {
    throw new VaultUnusable(`cannot be read (${(error as NodeJS.ErrnoException).code}): ${path}`)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function namedKey(entry: unknown, index: number): NamedKey {
  const { id, secret } = (entry ?? {}) as Record<string, unknown>
  const bytes = decode(secret, 'base64')
  if (!bytes) throw new VaultUnusable(`the secret of key ${index + 1} is not 32 bytes in base64`)
  return { id: checkedId(id), key: createSecretKey(bytes) }
}

function retiredSigner(entry: unknown, index: number): PublicJwk {
  const { id, x } = (entry ?? {}) as Record<string, unknown>
  if (typeof x !== 'string' || !decode(x, 'base64url')) {
    throw new VaultUnusable(`"x" of retired signer ${index + 1} is not 32 bytes in base64url`)
  }
  return publicJwk(checkedId(id), x)
}

function checkedId(id: unknown): string {
  if (typeof id === 'string' && /^[a-z0-9][a-z0-9-]{0,31}$/.test(id)) return id
  throw new VaultUnusable('an id is not 1 to 32 of a-z, 0-9 and "-"')
}

/** Node decodes whatever it can and drops the rest; only what encodes back to the same text was whole. */
function decode(text: unknown, encoding: 'base64' | 'base64url'): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = Buffer.from(text, encoding)
  return bytes.length === 32 && bytes.toString(encoding) === text ? bytes : undefined
}

function parseJson(contents: string): unknown {
  try {
    return JSON.parse(contents)
  } catch {
    // The error of JSON.parse quotes what it read, which here is key material.
    throw new VaultUnusable('is not JSON')
  }
}

function freshKey(createdOn?: string): KeyFile['keys'][number] {
  const secret = randomBytes(32).toString('base64')
  return { id: `k-${randomBytes(4).toString('hex')}`, secret, ...(createdOn && { createdOn }) }
}

function write(file: KeyFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}
