import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createRecorder } from '../../src/audit/record.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVault } from '../../src/platform/vault.ts'
import { generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const BY = { kind: 'system', id: 'test' } as const
const vault = openVault(generateVaultKeyFile())
const record = createRecorder({ clock: { now: () => new Date() }, sign: bytes => vault.sign(bytes) })
const checkSignature = (keyId: string, bytes: Buffer, signature: Buffer) =>
  vault.verify(bytes, { keyId, algorithm: 'Ed25519', signature })

let on: TestDatabase
let asApp: Database
let asOwner: Database
beforeAll(async () => {
  on = await createDatabase()
  asApp = await openDatabase({ url: on.url, role: 'dsar_app', tables: [], poolSize: 5 })
  asOwner = await openDatabase({ url: on.url, tables: [], poolSize: 2 })
})
afterAll(async () => {
  await Promise.all([asApp.close(), asOwner.close()])
  await on.drop()
})
const verdict = (stream: string) => verifyAudit({ read: asApp.read, checkSignature }, { stream })
const eventsOf = async (stream: string) =>
  (await asApp.read.query<{ event: string }[]>('SELECT event FROM audit_entry WHERE stream = $1 ORDER BY seq', [stream])).map(
    ({ event }) => event,
  )

describe('the record', () => {
  test.each([
    `UPDATE audit_entry SET event = 'nothing'`,
    'DELETE FROM audit_entry',
    'TRUNCATE audit_entry',
    'ALTER TABLE audit_entry DISABLE TRIGGER ALL',
    'DROP TABLE audit_entry',
  ])('T52 takes no such thing from the service: %s', async sql => {
    await asApp.transact(tx => record(tx, 'adapters', BY, 'adapter_registered'))
    await expect(asApp.read.query(sql)).rejects.toMatchObject({ code: '42501' })
  })

  test.each([`UPDATE audit_entry SET event = 'nothing'`, 'DELETE FROM audit_entry', 'TRUNCATE audit_entry'])(
    'T52 takes it from nobody by mistake, not even from the owner: %s',
    async sql => {
      await expect(asOwner.read.query(sql)).rejects.toThrow('audit_entry is append-only')
    },
  )

  test('keeps nothing of what was rolled back, and leaves no gap for it', async () => {
    await asApp.transact(tx => record(tx, 'request:a', BY, 'opened'))
    await expect(
      asApp.transact(async tx => {
        await record(tx, 'request:a', BY, 'withdrawn')
        throw new Error('the action failed')
      }),
    ).rejects.toThrow('the action failed')
    await asApp.transact(tx => record(tx, 'request:a', BY, 'extended'))
    expect(await eventsOf('request:a')).toEqual(['opened', 'extended'])
    expect(await verdict('request:a')).toEqual({ intact: true, streams: 1, entries: 2 })
  })

  test('is one chain for one request, whoever writes at the same time; other requests do not wait', async () => {
    const held = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    const first = asApp.transact(async tx => {
      await record(tx, 'request:b', BY, 'opened')
      written.resolve()
      await held.promise
    })
    await written.promise
    const second = asApp.transact(tx => record(tx, 'request:b', BY, 'extended'))
    await asApp.transact(tx => record(tx, 'request:c', BY, 'paused'))
    expect(await eventsOf('request:c')).toEqual(['paused'])
    expect(await eventsOf('request:b')).toEqual([])
    held.resolve()
    await Promise.all([first, second])
    expect(await eventsOf('request:b')).toEqual(['opened', 'extended'])
    expect((await verdict('request:b')).intact).toBe(true)
  })

  test('is whole after many wrote at once', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, n) => asApp.transact(tx => record(tx, 'request:d', BY, 'chased', { n }))))
    expect(await verdict('request:d')).toEqual({ intact: true, streams: 1, entries: 30 })
  })

  test('is intact whatever the facts are made of', async () => {
    const facts = { 'ключ "1"': 'é\u0000'.slice(0, 1), b: -1.5e-7, a: null, 10: true, list: ['z', 'a'], ['__proto__']: 'x' }
    await asApp.transact(tx => record(tx, 'request:e', BY, 'task_done', facts))
    expect((await verdict('request:e')).intact).toBe(true)
  })
})
