import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type RequestLetter, writeLetterToSubject, writeToEveryContact } from '../../src/delivery/write-letters.ts'
import type { DsarRequest } from '../../src/domain/request.ts'
import { JOB_NAMES, type Jobs } from '../../src/pipeline.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openQueue, type Queue } from '../../src/platform/queue.ts'
import { openVaultFile, type Vault } from '../../src/platform/vault.ts'
import { getRequest } from '../../src/requests/apply-event.ts'
import { freezeContactPoints } from '../../src/requests/identities.store.ts'
import { RequestTable } from '../../src/requests/requests.table.ts'
import { callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const ANNOUNCED: RequestLetter = {
  kind: 'erasure-announced',
  values: { right: 'access', ground: '17_1_a', coolsOffAt: '2026-03-06T22:30:00Z', timeZone: 'Europe/Berlin' },
}
const WAITING: RequestLetter = { kind: 'message-waiting', values: {} }

let service: Service
let database: Database
let queue: Queue<Jobs>
let vault: Vault

const deps = () => {
  const { clock } = service
  return {
    vault,
    clock,
    enqueue: queue.enqueue,
    publicUrl: 'https://service.test',
    officer: service.config.privacyOfficer,
  }
}
const written = (id: string) =>
  service.sql<{ id: string; dedupe: string }>('SELECT id, dedupe FROM letter WHERE request_id = $1 ORDER BY id', [id])

/** The mails that come of writing something about a request, as it stands. */
async function mailsOf(id: string, write: (request: DsarRequest, tx: Database['read']) => Promise<void>) {
  await database.transact(async tx => {
    const request = await getRequest(tx, id)
    if (request) await write(request, tx)
  })
  for (const letter of await written(id)) await service.app.handlers['send-letter']({ letterId: letter.id })
  return service.mailbox.messages()
}

/** A request of somebody with these addresses on file, the first being the main one. */
async function requestWith(addresses: string[], locale = 'en'): Promise<string> {
  const userId = randomUUID()
  const { body } = await callers(service).person(userId, `${userId}@example.org`)('/v1/requests', {
    body: { type: 'access', subject: { locale } },
  })
  const since = new Date('2020-01-01')
  await database.transact(async tx => {
    await tx.query('DELETE FROM contact_point WHERE request_id = $1', [body.id])
    const points = addresses.map(value => ({ type: 'email' as const, value, source: 'accounts', since }))
    await freezeContactPoints({ vault }, tx, body.id, points)
  })
  return body.id
}

beforeAll(async () => {
  service = await startService({ working: false })
  const { databaseUrl: url, databaseRole: role = '', vaultKeyFile } = service.config
  vault = openVaultFile(vaultKeyFile).vault
  database = await openDatabase({ url, role, tables: [RequestTable], poolSize: 2, onError: () => {} })
  queue = await openQueue<Jobs>({ url, role, names: JOB_NAMES, onError: () => {} })
})
afterAll(async () => {
  await queue.stop()
  await database.close()
  await service.close()
})
beforeEach(() => service.mailbox.clear())

describe('a letter about a request', () => {
  test('goes to the main address alone', async () => {
    const id = await requestWith(['main@example.org', 'other@example.org'])
    const mails = await mailsOf(id, (request, tx) => writeLetterToSubject(deps(), tx, request, WAITING))
    expect(mails.map(({ envelope }) => envelope.to)).toEqual([['main@example.org']])
  })

  test('or to every address on file, one mail each, none telling of the others', async () => {
    const id = await requestWith(['main@example.org', 'other@example.org', 'third@example.org'])
    const mails = await mailsOf(id, (request, tx) => writeToEveryContact(deps(), tx, request, ANNOUNCED))
    expect(mails.map(({ envelope }) => envelope.to[0]).sort()).toEqual([
      'main@example.org',
      'other@example.org',
      'third@example.org',
    ])
    for (const { envelope, text, html, to } of mails) {
      expect(envelope.to).toHaveLength(1)
      expect(
        `${text}${html}${to}`.match(/(main|other|third)@example\.org/g)?.every(address => envelope.to.includes(address)),
      ).toBe(true)
    }
  })

  test('is written to nobody where nobody is on file', async () => {
    const id = await requestWith([])
    const mails = await mailsOf(id, async (request, tx) => {
      await writeLetterToSubject(deps(), tx, request, WAITING)
      await writeToEveryContact(deps(), tx, request, ANNOUNCED)
    })
    expect(mails).toEqual([])
  })

  test('is written once to an address, however often it is asked for and however the address is spelt', async () => {
    const id = await requestWith(['main@example.org', 'Main@example.org'])
    const twice = async (request: DsarRequest, tx: Database['read']) => {
      await writeToEveryContact(deps(), tx, request, ANNOUNCED)
      await writeToEveryContact(deps(), tx, request, ANNOUNCED)
    }
    expect(await mailsOf(id, twice)).toHaveLength(1)
  })

  test('is written again on another occasion', async () => {
    const id = await requestWith(['main@example.org'])
    const mails = await mailsOf(id, async (request, tx) => {
      for (const occasion of ['one', 'two', 'one']) await writeLetterToSubject(deps(), tx, request, { ...WAITING, occasion })
    })
    expect(mails).toHaveLength(2)
  })

  test('keeps no address where it is not sealed, nor any at all once it was sent', async () => {
    const id = await requestWith(['main@example.org'])
    await mailsOf(id, (request, tx) => writeToEveryContact(deps(), tx, request, ANNOUNCED))
    const [row] = await service.sql<Record<string, unknown>>('SELECT * FROM letter WHERE request_id = $1', [id])
    expect(JSON.stringify(row)).not.toMatch(/main|example\.org/)
    expect(row).toMatchObject({ state: 'sent', recipient_sealed: null, values_sealed: null })
  })

  test.each([
    ['de-AT', 'Bitte prüfen Sie einen Antrag in Ihrem Namen', '6. März 2026 um 23:30 MEZ'],
    ['tlh', 'Please check a request made in your name', 'March 6, 2026 at 23:30 GMT+1'],
  ])('is in the language of the request, or in English: %s', async (locale, subject, until) => {
    const id = await requestWith(['main@example.org'], locale)
    const [mail] = await mailsOf(id, (request, tx) => writeToEveryContact(deps(), tx, request, ANNOUNCED))
    expect(mail?.subject).toBe(subject)
    expect(mail?.text).toContain(until)
  })
})
