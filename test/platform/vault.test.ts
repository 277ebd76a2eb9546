import { createPublicKey, verify } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SealBroken } from '../../src/platform/aes-gcm.ts'
import { toPem, verifySignature } from '../../src/platform/signing.ts'
import { openVault } from '../../src/platform/vault.ts'
import { addVaultKey, generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'

const keyFile = generateVaultKeyFile()
const rotatedFile = addVaultKey(keyFile)
const withoutOldKey = (contents: string) => JSON.stringify({ keys: [JSON.parse(contents).keys[0]] })
const vault = openVault(keyFile)
const rotated = openVault(rotatedFile)
const afterwards = openVault(withoutOldKey(rotatedFile))
const stranger = openVault(generateVaultKeyFile())
const flipped = (bytes: Uint8Array, bit: number) => bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

describe('a sealed value', () => {
  test('opens to what was sealed, in its own place only', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), fc.string(), (plaintext, context, elsewhere) => {
        const sealed = vault.seal(plaintext, context)
        expect(Buffer.compare(vault.open(sealed, context), plaintext)).toBe(0)
        if (elsewhere !== context) expect(() => vault.open(sealed, elsewhere)).toThrow(SealBroken)
      }),
    )
  })

  test('does not open with any one bit changed, nor cut, nor lengthened', () => {
    const sealed = vault.seal('Ada', 'request|name|1')
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      expect(() => vault.open(flipped(sealed, bit), 'request|name|1')).toThrow(SealBroken)
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => vault.open(sealed.subarray(0, length), 'request|name|1')).toThrow(SealBroken)
    }
    expect(() => vault.open(Buffer.concat([sealed, Buffer.alloc(1)]), 'request|name|1')).toThrow(SealBroken)
  })

  test('keeps JSON as it was', () => {
    const value = { name: 'Ada', mails: ['ada@example.org'], none: null }
    expect(vault.openJson(vault.sealJson(value, 'c'), 'c')).toEqual(value)
  })

  test('never repeats a nonce', () => {
    const nonceAt = 2 + vault.currentKeyId.length
    const nonces = new Set<string>()
    for (let i = 0; i < 100_000; i += 1) nonces.add(vault.seal('', 'c').toString('latin1', nonceAt, nonceAt + 12))
    expect(nonces.size).toBe(100_000)
  })

  test('does not open as a wrapped data key, nor the other way round', () => {
    expect(() => vault.unwrapDataKey(vault.seal(Buffer.alloc(32), 'c'), 'c')).toThrow(SealBroken)
    expect(() => vault.open(vault.newDataKey('c').wrapped, 'c')).toThrow(SealBroken)
  })
})

describe('a vault whose key was rotated', () => {
  test('opens what the old key sealed and seals with the new one', () => {
    const old = vault.seal('x', 'c')
    expect(rotated.open(old, 'c').toString()).toBe('x')
    expect(rotated.keyIdOf(old)).toBe(vault.currentKeyId)
    expect(rotated.keyIdOf(rotated.seal('x', 'c'))).toBe(rotated.currentKeyId)
    expect(() => vault.open(rotated.seal('x', 'c'), 'c')).toThrow('not in the key file')
  })

  test('wraps data keys anew, so that they outlive the old key; the others do not', () => {
    const { key, wrapped } = vault.newDataKey('request 1')
    const rewrapped = rotated.rewrapDataKey(wrapped, 'request 1')
    expect(afterwards.keyIdOf(rewrapped)).toBe(afterwards.currentKeyId)
    expect(afterwards.unwrapDataKey(rewrapped, 'request 1').equals(key)).toBe(true)
    expect(() => afterwards.unwrapDataKey(wrapped, 'request 1')).toThrow(SealBroken)
    expect(() => rotated.rewrapDataKey(wrapped, 'request 2')).toThrow(SealBroken)
  })

  test('finds by the old index and the new, and honours codes given out before', () => {
    expect(rotated.blindIndexes('mail', 'ada@example.org')).toEqual([
      rotated.blindIndex('mail', 'ada@example.org'),
      vault.blindIndex('mail', 'ada@example.org'),
    ])
    expect(rotated.matches(vault.mac('code', '123456'), 'code', '123456')).toBe(true)
    expect(afterwards.matches(vault.mac('code', '123456'), 'code', '123456')).toBe(false)
  })

  test('still vouches for what the old key signed, and with its public key retired even without it', () => {
    const bytes = Buffer.from('entry')
    const signature = vault.sign(bytes)
    expect(rotated.verify(bytes, signature)).toBe(true)
    expect(afterwards.verify(bytes, signature)).toBe(false)
    const [old] = vault.publicKeys()
    const retiring = openVault(
      JSON.stringify({ ...JSON.parse(withoutOldKey(rotatedFile)), retiredSigners: [{ id: old?.kid, x: old?.x }] }),
    )
    expect(retiring.verify(bytes, signature)).toBe(true)
    expect(retiring.publicKeys()).toEqual(rotated.publicKeys())
  })
})

describe('a data key', () => {
  test('unwraps with its context and vault only', () => {
    const { key, wrapped } = vault.newDataKey('request 1')
    expect(vault.unwrapDataKey(wrapped, 'request 1').equals(key)).toBe(true)
    expect(() => vault.unwrapDataKey(wrapped, 'request 2')).toThrow(SealBroken)
    expect(() => stranger.unwrapDataKey(wrapped, 'request 1')).toThrow(SealBroken)
    expect(wrapped.includes(key.export())).toBe(false)
  })

  test('shows nothing of itself when printed or serialised, and neither does the vault', () => {
    const { key } = vault.newDataKey('c')
    const secrets = [key.export(), Buffer.from(JSON.parse(keyFile).keys[0].secret, 'base64')]
    const shown = inspect([key, vault], { depth: null, showHidden: true }) + JSON.stringify([key, vault])
    for (const secret of secrets) {
      expect(shown).not.toContain(secret.toString('base64').slice(0, 12))
      expect(shown).not.toContain(secret.toString('hex').slice(0, 12))
    }
  })
})

describe('an index or a mac', () => {
  test('depends on the value, the kind, where one ends and the other begins, and the key', () => {
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string()), fc.tuple(fc.string(), fc.string()), (one, other) => {
        const same = one[0] === other[0] && one[1] === other[1]
        expect(vault.blindIndex(...one).equals(vault.blindIndex(...other))).toBe(same)
        expect(vault.matches(vault.mac(...one), ...other)).toBe(same)
      }),
    )
    expect(vault.blindIndex('ab', 'c')).not.toEqual(vault.blindIndex('a', 'bc'))
    expect(vault.blindIndex('a', 'b')).not.toEqual(vault.mac('a', 'b'))
    expect(vault.blindIndex('a', 'b')).not.toEqual(stranger.blindIndex('a', 'b'))
  })

  test('of another length does not match', () => {
    const mac = vault.mac('code', '1')
    expect(vault.matches(mac.subarray(1), 'code', '1')).toBe(false)
    expect(vault.matches(Buffer.alloc(0), 'code', '1')).toBe(false)
  })
})

describe('a signature', () => {
  const bytes = Buffer.from('what was agreed')
  const signature = vault.sign(bytes)

  test('can be checked by anybody with the public keys, as JWK or PEM', () => {
    const keys = vault.publicKeys()
    expect(verifySignature(keys, bytes, signature)).toBe(true)
    const pem = keys.map(toPem).join()
    expect(verify(null, bytes, createPublicKey(pem), signature.signature)).toBe(true)
    expect(JSON.stringify(keys)).not.toContain('"d"')
  })

  test('fails for other bytes, another key, or a changed signature', () => {
    expect(vault.verify(Buffer.from('what was not agreed'), signature)).toBe(false)
    expect(stranger.verify(bytes, signature)).toBe(false)
    expect(verifySignature(stranger.publicKeys(), bytes, { ...signature, keyId: stranger.currentKeyId })).toBe(false)
    expect(vault.verify(bytes, { ...signature, signature: Buffer.alloc(0) })).toBe(false)
    for (let bit = 0; bit < signature.signature.length * 8; bit += 37) {
      expect(vault.verify(bytes, { ...signature, signature: Buffer.from(flipped(signature.signature, bit)) })).toBe(false)
    }
  })

  test('comes from the same key pair after every start', () => {
    expect(openVault(keyFile).publicKeys()).toEqual(vault.publicKeys())
    expect(openVault(keyFile).verify(bytes, signature)).toBe(true)
  })
})
