import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createContactOf, insertAdapter } from '../../src/adapters/adapters.store.ts'
import { validateManifest } from '../../src/adapters/manifest.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVault } from '../../src/platform/vault.ts'
import { generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { addIdentities, createIdentitiesOf } from '../../src/requests/identities.store.ts'
import { casesIn } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

let own: TestDatabase
let database: Database
const vault = openVault(generateVaultKeyFile())

beforeEach(async () => {
  own = await createDatabase()
  database = await openDatabase({ url: own.url, role: 'dsar_app', tables: [] })
})
afterEach(async () => {
  await database.close()
  await own.drop()
})

async function adapterWith(name: string, secret: string): Promise<string> {
  const manifest = validateManifest({
    protocol: 'dsar-adapter/1',
    name,
    actions: ['locate', 'collect'],
    identityTypes: [{ type: 'user_id' }],
    datasets: [],
    holdsNothingBecause: 'It is for a test.',
  })
  const contact = { baseUrl: `http://${name}.test`, secrets: [secret], credentials: {}, settings: {} }
  const added = { name, title: name, manifest, kind: 'service', by: 'a test', ...contact } as const
  return (await insertAdapter({ vault }, database.read, added, new Date())).id
}

const outcomes = async <T>(asked: readonly Promise<T>[]) =>
  (await Promise.allSettled(asked)).map(one => (one.status === 'fulfilled' ? one.value : 'refused'))

test('T62 adapters whose contact is read at the same time are each given their own, and one that cannot be opened spoils no other', async () => {
  const ids = await Promise.all(['one', 'two', 'three'].map(name => adapterWith(name, `secret of ${name}`)))
  await database.read.query(`UPDATE adapter SET secrets_sealed = '\\x00' WHERE id = $1`, [ids[1]])
  const contactOf = createContactOf({ vault }, database.read)
  const nobody = '01981f6e-2a50-7c3a-9d57-0d6f2b1c4e88'
  const [one, two, three, missing] = await outcomes([...ids, nobody].map(contactOf))
  expect([one, three]).toMatchObject([
    { baseUrl: 'http://one.test', secrets: ['secret of one'] },
    { baseUrl: 'http://three.test', secrets: ['secret of three'] },
  ])
  expect([two, missing]).toEqual(['refused', 'refused'])
})

test('T74 requests whose identities are read at the same time are each given their own, and one that was tampered with spoils no other', async () => {
  const cases = casesIn(database.read)
  const ids = [await cases.request(), await cases.request(), await cases.request()] as const
  for (const [n, id] of ids.entries())
    await addIdentities({ vault }, database.read, id, [{ type: 'user_id', value: `u-${n}` }], 'token')
  // The identity of another is no more to be read here than noise is.
  await database.read.query(
    `UPDATE request_identity SET value_sealed = (SELECT value_sealed FROM request_identity WHERE request_id = $2) WHERE request_id = $1`,
    [ids[1], ids[0]],
  )
  const identitiesOf = createIdentitiesOf({ vault }, database.read)
  const [one, two, three] = await outcomes(ids.map(identitiesOf))
  expect([one, two, three]).toMatchObject([[{ value: 'u-0' }], 'refused', [{ value: 'u-2' }]])
})
