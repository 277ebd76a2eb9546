import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { insertHold } from '../../src/holds/holds.store.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVault, type Vault } from '../../src/platform/vault.ts'
import { addVaultKey, generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { heldBy, isHeld } from '../../src/requests/held.ts'
import { addIdentities, type Identity, type Provenance } from '../../src/requests/identities.store.ts'
import { casesIn } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const SOON = new Date(NOW.getTime() + 1)

let created: TestDatabase
let database: Database
let keyFile: string
let vault: Vault
beforeAll(async () => {
  created = await createDatabase()
  database = await openDatabase({ url: created.url, role: 'dsar_app', tables: [] })
  keyFile = generateVaultKeyFile()
  vault = openVault(keyFile)
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

const somebody = (type = 'email'): Identity => ({ type, value: `${randomUUID()}@example.org` })

async function requestOf(identities: Identity[], provenance: Provenance = 'resolved', by = vault): Promise<string> {
  const id = await casesIn(database.read).request()
  await addIdentities({ vault: by }, database.read, id, identities, provenance)
  return id
}

async function hold(identities: Identity[], { until = SOON, by = vault } = {}): Promise<string> {
  const id = randomUUID()
  const given = { id, reason: 'litigation', reference: 'L-1', note: null, proposedBy: 'x|1', proposedAt: NOW, until } as const
  await insertHold({ vault: by }, database.read, given, identities)
  return id
}

/** What both ways to ask say: whether something is to be opened, and at the last gate, where only SQL is. */
async function asked(requestId: string, by = vault): Promise<{ heldBy: string[]; isHeld: boolean }> {
  const [row] = await database.read.query<{ held: boolean }[]>(
    `SELECT ${isHeld('$2')} AS held FROM dsar_request r WHERE r.id = $1`,
    [requestId, NOW],
  )
  const holds = await heldBy({ vault: by, clock: { now: () => NOW } }, database.read, requestId)
  return { heldBy: holds, isHeld: row?.held ?? false }
}

describe('a request is held', () => {
  test.each<Provenance>(['named', 'asserted', 'token', 'resolved'])('by a hold on an identity that was %s', async provenance => {
    const ana = somebody()
    const id = await requestOf([somebody('user_id'), ana], provenance)
    expect(await asked(id)).toEqual({ heldBy: [], isHeld: false })
    const holds = [await hold([somebody(), ana]), await hold([ana])].sort()
    expect(await asked(id)).toEqual({ heldBy: holds, isHeld: true })
  })

  test('until the hold ends, not at that moment', async () => {
    const ana = somebody()
    await hold([ana], { until: NOW })
    expect(await asked(await requestOf([ana]))).toEqual({ heldBy: [], isHeld: false })
  })

  test('not by a hold on the same value of another type', async () => {
    const ana = somebody()
    await hold([{ ...ana, type: 'user_id' }])
    expect(await asked(await requestOf([ana]))).toEqual({ heldBy: [], isHeld: false })
  })

  test('by a hold that comes after a rotation of keys, at every gate', async () => {
    const ana = somebody()
    const newer = openVault(addVaultKey(keyFile))
    const id = await requestOf([ana])
    const placed = await hold([ana], { by: newer })
    expect(await asked(id, newer)).toEqual({ heldBy: [placed], isHeld: true })
  })

  test('by a hold from before a rotation, at the gates that can open the identities', async () => {
    const ana = somebody()
    const placed = await hold([ana])
    const newer = openVault(addVaultKey(keyFile))
    expect((await asked(await requestOf([ana], 'resolved', newer), newer)).heldBy).toEqual([placed])
  })
})
