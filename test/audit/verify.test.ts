import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type pg from 'pg'
import { hashOf } from '../../src/audit/chain.ts'
import { createRecorder } from '../../src/audit/record.ts'
import type { Head } from '../../src/audit/verify.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { openVault } from '../../src/platform/vault.ts'
import { generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const BY = { kind: 'system', id: 'test' } as const
const A = 'request:00000000-0000-7000-8000-00000000000a'
const B = 'request:00000000-0000-7000-8000-00000000000b'

let service: Service
let officer: Call
let superuser: pg.Client
let dir: string

beforeAll(async () => {
  service = await startService({ working: false })
  officer = callers(service).agent(['dpo'])
  superuser = await service.connect()
  dir = mkdtempSync(join(tmpdir(), 'heads-'))
  const vault = openVault(readFileSync(service.config.vaultKeyFile, 'utf8'))
  const record = createRecorder({ clock: service.clock, sign: bytes => vault.sign(bytes) })
  const database = await openDatabase({ url: service.config.databaseUrl, role: 'dsar_app', tables: [] })
  for (const stream of [A, B])
    for (let n = 1; n <= 5; n++) await database.transact(tx => record(tx, stream, BY, 'chased', { n, note: 'ordinary' }))
  await database.close()
})
afterAll(async () => {
  await service.close()
  rmSync(dir, { recursive: true })
})

/** What somebody does who has the database and every right over it, until the test is over. */
async function tamper(...statements: string[]): Promise<void> {
  await superuser.query('CREATE TABLE saved AS SELECT * FROM audit_entry')
  await superuser.query(`SET session_replication_role = 'replica'`)
  for (const sql of statements) await superuser.query(sql)
}
afterEach(async () => {
  const { rows } = await superuser.query(`SELECT to_regclass('saved') AS saved`)
  if (rows[0].saved)
    await superuser.query('DELETE FROM audit_entry; INSERT INTO audit_entry SELECT * FROM saved; DROP TABLE saved')
  await superuser.query(`SET session_replication_role = 'origin'`)
  await superuser.query('DELETE FROM rate_limit') // six checks a minute are plenty, but not for tests
})

const verified = async (body: object = {}) => (await officer('/v1/audit/verify', { body })).body

/** Runs the command and gives its exit code with everything it wrote. */
const command = (...args: string[]): Promise<{ code: number; out: string }> =>
  new Promise(resolve => {
    const { DATABASE_URL, VAULT_KEY_FILE } = {
      DATABASE_URL: service.config.databaseUrl,
      VAULT_KEY_FILE: service.config.vaultKeyFile,
    }
    execFile(
      process.execPath,
      ['src/audit-verify.ts', ...args],
      { env: { PATH: process.env.PATH, DATABASE_URL, VAULT_KEY_FILE } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr }),
    )
  })

const at = (seq: number) => `WHERE stream = '${B}' AND seq = ${seq}`

describe('the record', () => {
  test('is intact as long as nobody touches it', async () => {
    expect(await verified()).toMatchObject({ intact: true, streams: 2, entries: 10 })
    expect(await verified({ stream: A })).toMatchObject({ intact: true, streams: 1, head: { stream: A, seq: 5 } })
    expect(await command()).toEqual({ code: 0, out: 'intact: 10 entries in 2 streams\n' })
  })

  const CONTENT = 'its content does not match its hash'
  test.each([
    ['one letter of a fact', 3, CONTENT, `UPDATE audit_entry SET facts = jsonb_set(facts, '{note}', '"ordinarY"') ${at(3)}`],
    ['who it was', 1, CONTENT, `UPDATE audit_entry SET actor_id = 'somebody' ${at(1)}`],
    ['a millisecond', 5, CONTENT, `UPDATE audit_entry SET at = at + interval '1 millisecond' ${at(5)}`],
    ['a fact that was not there', 2, CONTENT, `UPDATE audit_entry SET facts = facts || '{"more": 1}' ${at(2)}`],
    ['a byte of the hash', 4, CONTENT, `UPDATE audit_entry SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) ${at(4)}`],
    [
      'a byte of the hash before',
      4,
      'does not follow from the entry before',
      `UPDATE audit_entry SET previous = set_byte(previous, 9, get_byte(previous, 9) # 1) ${at(4)}`,
    ],
    [
      'a byte of the signature',
      4,
      'its signature is not ours',
      `UPDATE audit_entry SET signature = set_byte(signature, 63, get_byte(signature, 63) # 1) ${at(4)}`,
    ],
    ['the key that signed', 4, 'its signature is not ours', `UPDATE audit_entry SET key_id = 'another' ${at(4)}`],
  ])('T52 shows a change of %s, and where', async (_what, seq, reason, sql) => {
    await tamper(sql)
    expect(await verified()).toMatchObject({ intact: false, firstBad: { stream: B, seq, reason } })
  })

  test('cannot be changed in a finer time than what is hashed', async () => {
    await tamper(`UPDATE audit_entry SET at = at + interval '200 microseconds' ${at(3)}`)
    expect(await verified()).toMatchObject({ intact: true })
  })

  test('T52 names the entry that was taken out of the middle', async () => {
    await tamper(`DELETE FROM audit_entry ${at(3)}`)
    expect((await verified()).firstBad).toEqual({ stream: B, seq: 3, reason: 'is missing' })
    expect(await command()).toEqual({ code: 1, out: `NOT INTACT: ${B} entry 3: is missing\n` })
  })

  test('T52 names the first of two that changed places', async () => {
    await tamper(
      `UPDATE audit_entry SET seq = 99 ${at(2)}`,
      `UPDATE audit_entry SET seq = 2 ${at(3)}`,
      `UPDATE audit_entry SET seq = 3 ${at(99)}`,
    )
    expect((await verified()).firstBad).toMatchObject({ stream: B, seq: 2 })
  })

  test('names what was closed up after a deletion, and what was copied from another request', async () => {
    await tamper(`DELETE FROM audit_entry ${at(2)}`, `UPDATE audit_entry SET seq = seq - 1 WHERE stream = '${B}' AND seq > 2`)
    expect((await verified()).firstBad).toMatchObject({ stream: B, seq: 2, reason: 'does not follow from the entry before' })
    await superuser.query(
      `DELETE FROM audit_entry WHERE stream = '${B}'; UPDATE audit_entry SET stream = '${B}' WHERE stream = '${A}'`,
    )
    expect((await verified()).firstBad).toMatchObject({ stream: B, seq: 1, reason: CONTENT })
  })

  test('shows a story rewritten with right hashes, because nobody else can sign it', async () => {
    const { rows } = await superuser.query(`SELECT * FROM audit_entry ${at(5)}`)
    const { stream, seq, at: when, previous } = rows[0]
    const facts = { n: 5, note: 'never happened' }
    const hash = hashOf({ stream, seq, at: when, actorKind: BY.kind, actorId: BY.id, event: 'chased', facts, previous })
    const forger = openVault(generateVaultKeyFile()).sign(hash)
    await tamper(`UPDATE audit_entry SET facts = '${JSON.stringify(facts)}', hash = '\\x${hash.toString('hex')}' ${at(5)}`)
    expect((await verified()).firstBad).toMatchObject({ seq: 5, reason: 'its signature is not ours' })
    await superuser.query(`UPDATE audit_entry SET signature = '\\x${forger.signature.toString('hex')}' ${at(5)}`)
    expect((await verified()).firstBad).toMatchObject({ seq: 5, reason: 'its signature is not ours' })
  })
})

describe('an end that was cut off', () => {
  const file = () => join(dir, 'heads.json')
  beforeAll(async () => {
    expect((await command('--heads', file())).code).toBe(0)
  })

  test('T52 is found against heads that were kept elsewhere', async () => {
    const heads: Head[] = JSON.parse(readFileSync(file(), 'utf8'))
    expect(heads.map(({ stream, seq }) => [stream, seq])).toEqual([
      [A, 5],
      [B, 5],
    ])
    await tamper(`DELETE FROM audit_entry WHERE stream = '${A}' AND seq > 3`)
    expect((await verified()).intact).toBe(true)
    const told = await command('--against', file())
    expect(told).toEqual({ code: 1, out: expect.stringMatching(`^NOT INTACT: ${A} entry 4: is missing`) })
    expect((await verified({ heads })).firstBad).toMatchObject({ stream: A, seq: 4 })
    expect((await verified({ heads, stream: B })).intact).toBe(true)
  })

  test('is found when it was the whole of a request', async () => {
    await tamper(`DELETE FROM audit_entry WHERE stream = '${B}'`)
    expect((await command('--against', file())).out).toMatch(`NOT INTACT: ${B} entry 1: is missing`)
  })

  test('is told from one that only grew', async () => {
    const { head } = await verified({ stream: A })
    const heads = [{ ...head, seq: 4, hash: 'f'.repeat(64) }]
    expect((await verified({ heads })).firstBad).toEqual({ stream: A, seq: 4, reason: 'differs from the head kept outside' })
    const { body } = await officer(`/v1/audit?stream=${A}`)
    expect(await verified({ heads: [{ stream: A, seq: 4, hash: body.entries[3].hash }] })).toMatchObject({ intact: true })
  })
})

describe('the command', () => {
  test('checks one stream where it is told to', async () => {
    expect(await command('--stream', A)).toEqual({ code: 0, out: 'intact: 5 entries in 1 streams\n' })
  })

  test('says that it could not check, which is neither intact nor not', async () => {
    writeFileSync(join(dir, 'broken.json'), '{')
    const wrong = [['--against', join(dir, 'broken.json')], ['--against', join(dir, 'none.json')], ['--whatever']]
    for (const told of await Promise.all(wrong.map(args => command(...args))))
      expect(told).toMatchObject({ code: 2, out: expect.stringContaining('usage:') })
  })
})

describe('who may read the record', () => {
  test('are those who answer for it', async () => {
    const as = callers(service)
    for (const [call, status] of [
      [as.anybody, 401],
      [as.service(), 403],
      [as.person('u-ana', 'ana@example.org'), 403],
      [as.agent(['agent']), 403],
      [as.agent(['operator']), 200],
    ] as const) {
      expect((await call('/v1/audit')).status).toBe(status)
      expect((await call('/v1/audit/verify', { body: {} })).status).toBe(status)
    }
  })

  test('are told of a stream that there is not that there is none, unless it was there once', async () => {
    const stream = 'request:00000000-0000-7000-8000-000000000000'
    const none = await officer('/v1/audit/verify', { body: { stream } })
    expect([none.status, none.body.code]).toEqual([404, 'not_found'])
    const heads = [{ stream, seq: 1, hash: '0'.repeat(64) }]
    expect(await verified({ stream, heads })).toMatchObject({ intact: false, firstBad: { stream, seq: 1 } })
  })

  test('read it page by page, whole', async () => {
    const seen: [string, number][] = []
    let path = '/v1/audit?limit=3'
    while (path) {
      const { body } = await officer(path)
      seen.push(...body.entries.map(({ stream, seq }: Head) => [stream, seq]))
      path = body.next ? `/v1/audit?limit=3&cursor=${encodeURIComponent(body.next)}` : ''
    }
    expect(seen).toEqual([A, B].flatMap(stream => [1, 2, 3, 4, 5].map(seq => [stream, seq])))
  })
})
