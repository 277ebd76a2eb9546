import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVaultFile } from '../../src/platform/vault.ts'
import { type MarkKind, markSubject } from '../../src/requests/marks.store.ts'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const PATH = '/v1/subjects/consents'

let service: Service
let database: Database
let as: ReturnType<typeof callers>
let shop: Call
let people = 0

beforeAll(async () => {
  service = await startService({ working: false })
  database = await openDatabase({ url: service.config.databaseUrl, role: 'dsar_app', tables: [] })
  as = callers(service)
  shop = as.service()
})
afterAll(async () => {
  await database.close()
  await service.close()
})

const at = (day: number) => new Date(Date.UTC(2026, 0, day))
const email = (name: string) => ({ type: 'email', value: `${name}@example.org` })
const userId = (name: string) => ({ type: 'user_id', value: `u-${name}` })

interface Said {
  kind: MarkKind
  of?: string
  on: number
}

/** Somebody at the portal, known by an address and a number, who has said this on these days. */
async function somebody(...said: Said[]): Promise<string> {
  people += 1
  const name = `person-${people}`
  for (const one of said) await says(name, one)
  return name
}

async function says(name: string, { kind, of = '', on }: Said): Promise<void> {
  const opened = await as.person(`u-${name}`, `${name}@example.org`)('/v1/requests', { body: { type: 'access', subject: {} } })
  const { vault } = openVaultFile(service.config.vaultKeyFile)
  await service.sql('UPDATE dsar_request SET closed_at = now() WHERE id = $1', [opened.body.id])
  expect(await markSubject({ vault }, database.read, { requestId: opened.body.id, kind, of, at: at(on) })).toBe(2)
}

const consents = (name: string, what: { purposes?: string[]; cookies?: string[] }, on: number, by = shop): Promise<Answered> =>
  by(PATH, { body: { identities: [email(name)], ...what, givenAt: at(on).toISOString(), reference: `consents/${name}` } })

/** As it is told by the number, under which nobody said anything. */
const standing = async (name: string) =>
  (await shop('/v1/subjects/lookup', { body: { identities: [userId(name)] } })).body.subjects[0]
const entries = async () => (await as.agent(['dpo'], 'reader')('/v1/audit?stream=consents')).body.entries
const rows = () => service.sql('SELECT kind, "of", since, lifted_at FROM subject_mark ORDER BY ctid')

describe('somebody who says yes again', () => {
  test('is told with it at once, by every identity, and what they had said stays known', async () => {
    const ana = await somebody(
      { kind: 'consent_withdrawn', of: 'marketing', on: 3 },
      { kind: 'objected', of: 'marketing', on: 4 },
    )
    expect(await standing(ana)).toMatchObject({ objectedTo: ['marketing'], suppressed: true })
    const before = await rows()
    const { status, body } = await consents(ana, { purposes: ['marketing'] }, 5)
    expect([status, body.subject]).toEqual([200, await standing(ana)])
    expect(await standing(ana)).toMatchObject({ objectedTo: [], suppressed: false, marks: [] })
    expect((await standing(ana)).consentWithdrawn).toEqual({ purposes: [], cookies: [] })
    expect((await rows()).slice(0, before.length)).toEqual(before)
    expect((await entries()).at(-1)).toMatchObject({
      event: 'consent_given_anew',
      actor: { kind: 'service' },
      facts: { to: ['marketing'], givenAt: at(5).toISOString(), reference: `consents/${ana}` },
    })
  })

  test('and no again later is not told as yes, whichever arrived first', async () => {
    const ana = await somebody({ kind: 'consent_withdrawn', of: 'marketing', on: 3 })
    await consents(ana, { purposes: ['marketing'] }, 5)
    await says(ana, { kind: 'objected', of: 'marketing', on: 7 })
    const late = await consents(ana, { purposes: ['marketing'] }, 6)
    expect(late.body.subject).toMatchObject({ objectedTo: ['marketing'], suppressed: true })
    expect(late.body.subject.marks).toEqual([{ kind: 'objected', purpose: 'marketing', since: at(7).toISOString() }])
  })

  test('says it of what they name, and of nothing else', async () => {
    const ana = await somebody(
      { kind: 'objected', of: 'analytics', on: 3 },
      { kind: 'consent_withdrawn', of: 'cookie:marketing', on: 3 },
      { kind: 'consent_withdrawn', of: 'cookie:analytics', on: 3 },
      { kind: 'restricted', on: 3 },
    )
    const { body } = await consents(ana, { purposes: ['marketing'], cookies: ['marketing'] }, 5)
    expect(body.subject).toMatchObject({
      ...{ restricted: true, objectedTo: ['analytics'] },
      consentWithdrawn: { purposes: [], cookies: ['analytics'] },
    })
  })

  test('after an erasure may be written to, and stays somebody who was erased', async () => {
    const ana = await somebody({ kind: 'erased', on: 3 })
    expect(await standing(ana)).toMatchObject({ erased: true, suppressed: true })
    await consents(ana, { purposes: ['marketing'] }, 5)
    expect(await standing(ana)).toMatchObject({ erased: true, suppressed: false })
    await says(ana, { kind: 'erased', on: 6 })
    expect(await standing(ana)).toMatchObject({ erased: true, suppressed: true })
  })

  test('to what they never said no to leaves nothing behind', async () => {
    const [ana, nobody] = [await somebody({ kind: 'objected', of: 'analytics', on: 3 }), 'nobody-known']
    const before = [await rows(), await entries()]
    for (const name of [ana, nobody]) expect((await consents(name, { purposes: ['marketing'] }, 5)).status).toBe(200)
    expect((await consents(ana, { purposes: ['analytics'] }, 3)).body.subject.objectedTo).toEqual(['analytics'])
    expect([await rows(), await entries()]).toEqual(before)
  })
})

describe('a consent', () => {
  test.each([
    ['to nothing', { purposes: undefined }, 422, '/purposes'],
    ['to what nobody is asked for', { purposes: ['billing'] }, 422, '/purposes/0'],
    ['of tomorrow', { givenAt: new Date(Date.now() + 86_400_000).toISOString() }, 422, '/givenAt'],
    ['by what is no address', { identities: [{ type: 'email', value: 'a@' }] }, 422, '/identities/0/value'],
    ['without a word on how', { reference: undefined }, 400, '/reference'],
    ['whose reference is an address', { reference: 'ana@example.org' }, 400, '/reference'],
  ])('%s is refused', async (_, wrong, status, pointer) => {
    const body = {
      ...{ identities: [email('ana')], purposes: ['marketing'], givenAt: at(5).toISOString(), reference: 'consents/1' },
      ...wrong,
    }
    const answer = await shop(PATH, { body: JSON.parse(JSON.stringify(body)) })
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([status, pointer])
  })

  test('is taken from services that may say so, and from nobody else', async () => {
    const ana = await somebody({ kind: 'objected', of: 'marketing', on: 3 })
    const others = [
      as.service({ scope: 'subjects:lookup requests:open' }),
      as.agent(['privacy_officer', 'dpo', 'agent', 'operator'], 'officer-9'),
      as.person(`u-${ana}`, `${ana}@example.org`),
    ]
    for (const by of others) expect((await consents(ana, { purposes: ['marketing'] }, 5, by)).status).toBe(403)
    expect((await standing(ana)).suppressed).toBe(true)
  })

  test('said again under its key is one', async () => {
    const ana = await somebody({ kind: 'objected', of: 'marketing', on: 3 })
    const body = { identities: [email(ana)], purposes: ['marketing'], givenAt: at(5).toISOString(), reference: 'consents/7' }
    const before = (await entries()).length
    const say = () => shop(PATH, { body, headers: { 'idempotency-key': `consent-${ana}` } })
    const [first, again] = [await say(), await say()]
    expect([first.status, again.bytes]).toEqual([200, first.bytes])
    expect((await entries()).length).toBe(before + 1)
  })
})
