import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { probeVault } from '../../src/operations/probe-vault.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVault } from '../../src/platform/vault.ts'
import { addVaultKey, generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

describe('the key file', () => {
  let database: TestDatabase
  let db: Database

  beforeAll(async () => {
    database = await createDatabase()
    db = await openDatabase({ url: database.url, role: 'dsar_app', tables: [], poolSize: 2 })
  })
  afterAll(async () => {
    await db.close()
    await database.drop()
  })

  test('is taken when the database was written with it, also after a rotation, and refused when it was not', async () => {
    const contents = generateVaultKeyFile()
    await probeVault(db.read, openVault(contents))
    await probeVault(db.read, openVault(contents))
    await probeVault(db.read, openVault(addVaultKey(contents)))
    await expect(probeVault(db.read, openVault(generateVaultKeyFile()))).rejects.toThrow('VAULT_KEY_FILE does not hold the keys')
  })
})
