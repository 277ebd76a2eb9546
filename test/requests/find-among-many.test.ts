import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Caller, Role } from '../../src/auth/caller.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVault } from '../../src/platform/vault.ts'
import { generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { type Filter, findRequests } from '../../src/requests/find-requests.ts'
import { identityIndex } from '../../src/requests/identities.store.ts'
import { casesIn, readWhole } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const vault = openVault(generateVaultKeyFile())
const officer: Caller = { kind: 'support_agent', id: 'desk|o', subject: 'o', roles: new Set<Role>(['privacy_officer']) }
const crm: Caller = { kind: 'service', id: 'house|crm', scopes: new Set() }
const ana: Caller = { kind: 'portal', id: 'portal|ana', subject: 'ana', contactPoints: [] }

let own: TestDatabase
let database: Database

beforeAll(async () => {
  own = await createDatabase()
  database = await openDatabase({ url: own.url, tables: [] })
  const { read } = database
  const one = await casesIn(read).request()
  // Enough that to read them all would be dearer than to look them up.
  await read.query(
    `INSERT INTO dsar_request SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'due_on', r.due_on - n % 700,
       'state', 'completed', 'closed_at', now(), 'opened_by', 'somebody|' || n % 5000))).*
     FROM dsar_request r, generate_series(1, 20000) AS n WHERE r.id = $1`,
    [one],
  )
  await read.query(
    `INSERT INTO request_identity (request_id, type, value_index, value_sealed, provenance, given)
     SELECT id, 'user_id', sha256(id::text::bytea), ''::bytea, 'resolved', false FROM dsar_request WHERE id <> $1
     UNION ALL SELECT $1, 'user_id', $2, ''::bytea, 'resolved', false`,
    [one, identityIndex({ vault }, { type: 'user_id', value: 'ana' })],
  )
  await read.query('ANALYZE dsar_request, request_identity')
})
afterAll(async () => {
  await database.close()
  await own.drop()
})

describe('among many requests, a page is found without reading all of them', () => {
  const pages: [string, Caller, Filter, number][] = [
    ['of all', officer, {}, 10],
    ['of a type', officer, { type: 'access' }, 10],
    ['of a state', officer, { state: 'completed' }, 10],
    ['of what is open', officer, { open: true }, 1],
    ['of a person, for an officer', officer, { identity: { type: 'user_id', value: 'ana' } }, 1],
    ['of their own, for a person', ana, {}, 1],
    ['of what it opened, for a service', crm, {}, 0],
  ]
  test.each(pages)('%s', async (_, caller, filter, count) => {
    const { result, tables } = await readWhole(database, ['dsar_request', 'request_identity'], tx =>
      findRequests({ vault }, tx, filter, { limit: 10 }, caller),
    )
    expect(result.requests).toHaveLength(count)
    expect(tables).toEqual([])
  })
})
