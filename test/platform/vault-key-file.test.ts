import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { openVault, openVaultFile } from '../../src/platform/vault.ts'
import { addVaultKey, generateVaultKeyFile, VaultUnusable } from '../../src/platform/vault-key-file.ts'

const SECRET = Buffer.alloc(32, 0xa5).toString('base64')
const keyFile = (file: object) => JSON.stringify(file)

describe('the key file', () => {
  test.each([
    ['nothing', ''],
    ['cut off', generateVaultKeyFile().slice(0, -20)],
    ['something else', 'null'],
    ['no keys', keyFile({})],
    ['an empty list', keyFile({ keys: [] })],
    ['an entry that is nothing', keyFile({ keys: [null] })],
    ['a short secret', keyFile({ keys: [{ id: 'k1', secret: SECRET.slice(4) }] })],
    ['a long secret', keyFile({ keys: [{ id: 'k1', secret: Buffer.alloc(33).toString('base64') }] })],
    ['a mistyped secret', keyFile({ keys: [{ id: 'k1', secret: SECRET.replace('p', '*') }] })],
    ['a key without id', keyFile({ keys: [{ secret: SECRET }] })],
    ['an id that is too long', keyFile({ keys: [{ id: 'k'.repeat(33), secret: SECRET }] })],
    ['one id twice', keyFile({ keys: [1, 2].map(() => ({ id: 'k1', secret: SECRET })) })],
    ['retired signers that are no list', keyFile({ keys: [{ id: 'k1', secret: SECRET }], retiredSigners: {} })],
    ['a retired signer without key', keyFile({ keys: [{ id: 'k1', secret: SECRET }], retiredSigners: [{ id: 'k0' }] })],
  ])('is refused when it holds %s', (_what, contents) => {
    expect(() => openVault(contents)).toThrow(VaultUnusable)
  })

  test('is never quoted in the error that refuses it', () => {
    const broken = [`{"keys":[{"id":"k1","secret":${SECRET}}]}`, `${SECRET}`, keyFile({ keys: [{ id: SECRET, secret: SECRET }] })]
    for (const contents of broken) {
      let shown = ''
      try {
        openVault(contents)
      } catch (error) {
        shown = `${error instanceof Error && error.stack} ${JSON.stringify(error)} ${error instanceof Error && error.cause}`
      }
      expect(shown).toContain('VaultUnusable')
      expect(shown).not.toContain(SECRET.slice(0, 4))
    }
  })

  test('takes a new key in front and keeps the others', () => {
    const before = generateVaultKeyFile('2026-01-01')
    const after = addVaultKey(before, '2026-07-01')
    expect(JSON.parse(after).keys).toEqual([expect.objectContaining({ createdOn: '2026-07-01' }), ...JSON.parse(before).keys])
    expect(openVault(after).currentKeyId).not.toBe(openVault(before).currentKeyId)
  })
})

describe('the key file on disk', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vault-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('opens when only its owner may read it', () => {
    const path = join(folder, 'keys')
    writeFileSync(path, generateVaultKeyFile(), { mode: 0o600 })
    const { vault, openToOthers } = openVaultFile(path)
    expect(openToOthers).toBe(false)
    expect(vault.open(vault.seal('x', 'c'), 'c').toString()).toBe('x')
  })

  test('is refused when others may read it, unless that is allowed, and then it says so', () => {
    const path = join(folder, 'keys')
    writeFileSync(path, generateVaultKeyFile())
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(path, mode)
      expect(() => openVaultFile(path)).toThrow('chmod 600')
      expect(openVaultFile(path, { allowOpenToOthers: true }).openToOthers).toBe(true)
    }
  })

  test('is refused with the reason when it cannot be read', () => {
    expect(() => openVaultFile(join(folder, 'missing'))).toThrow(/cannot be read \(ENOENT\)/)
    expect(() => openVaultFile(folder, { allowOpenToOthers: true })).toThrow(/cannot be read \(EISDIR\)/)
  })
})
