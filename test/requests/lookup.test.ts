import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVaultFile } from '../../src/platform/vault.ts'
import { type MarkKind, markSubject } from '../../src/requests/marks.store.ts'
import { type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const PATH = '/v1/subjects/lookup'
const NOTHING = {
  restricted: false,
  objectedTo: [],
  consentWithdrawn: { purposes: [], cookies: [] },
  suppressed: false,
  erased: false,
  marks: [],
}
const AT = '2026-01-02T03:04:05.000Z'
const markOf = (kind: string, of = {}) => ({ marks: [{ kind, ...of, since: AT }] })

let service: Service
let database: Database
let as: ReturnType<typeof callers>
let crm: Call

const email = (value: string) => ({ type: 'email', value })
const one = (value: string) => ({ body: { identities: [email(value)] } })

beforeAll(async () => {
  service = await startService({ working: false, env: { LOG_LEVEL: 'trace' } })
  database = await openDatabase({ url: service.config.databaseUrl, role: 'dsar_app', tables: [] })
  as = callers(service)
  crm = as.service({ scope: 'subjects:lookup' })
  await marked('Restricted', 'restricted')
  await marked('objected', 'objected', 'marketing')
  await marked('withdrawn', 'consent_withdrawn', 'cookie:analytics')
  await marked('erased', 'erased')
})
afterAll(async () => {
  await database.close()
  await service.close()
})

/** Somebody at the portal, whose request puts something in force. */
async function marked(name: string, kind: MarkKind, of = ''): Promise<void> {
  const opened = await as.person(`u-${name}`, `${name}@example.org`)('/v1/requests', { body: { type: 'access', subject: {} } })
  const { vault } = openVaultFile(service.config.vaultKeyFile)
  expect(await markSubject({ vault }, database.read, { requestId: opened.body.id, kind, of, at: new Date(AT) })).toBe(2)
}

describe('a look-up', () => {
  test.each([
    ['restricted', { restricted: true, ...markOf('restricted') }],
    ['objected', { objectedTo: ['marketing'], suppressed: true, ...markOf('objected', { purpose: 'marketing' }) }],
    [
      'withdrawn',
      { consentWithdrawn: { purposes: [], cookies: ['analytics'] }, ...markOf('consent_withdrawn', { cookie: 'analytics' }) },
    ],
    ['erased', { erased: true, suppressed: true, ...markOf('erased') }],
    ['nobody', {}],
  ])('of somebody %s tells every property, and no more', async (name, told) => {
    const answer = await crm(PATH, one(`${name}@example.org`))
    expect([answer.status, answer.body]).toEqual([200, { subjects: [{ ...NOTHING, ...told }] }])
  })

  test('of many answers each in its place, together what each identity says', async () => {
    const people = Array.from({ length: 98 }, (_, n) => ({ identities: [email(`p${n}@example.org`)] }))
    const body = {
      subjects: [
        { identities: [{ type: 'user_id', value: 'u-erased' }] },
        ...people,
        { identities: [email('RESTRICTED@example.org'), email('objected@example.org'), email('x@example.org')] },
      ],
    }
    const { body: answered } = await crm(PATH, { body })
    expect(answered.subjects).toEqual([
      { ...NOTHING, erased: true, suppressed: true, ...markOf('erased') },
      ...people.map(() => NOTHING),
      {
        ...{ ...NOTHING, restricted: true, objectedTo: ['marketing'], suppressed: true },
        marks: [...markOf('objected', { purpose: 'marketing' }).marks, ...markOf('restricted').marks],
      },
    ])
  })

  test('is the same for staff who answer for privacy', async () => {
    for (const role of ['privacy_officer', 'dpo'])
      expect((await as.agent([role])(PATH, one('erased@example.org'))).bytes).toEqual(
        (await crm(PATH, one('erased@example.org'))).bytes,
      )
  })

  test.each([
    ['of nobody', {}],
    ['in both forms', { identities: [email('a@b.test')], subjects: [{ identities: [email('a@b.test')] }] }],
    ['without an identity', { identities: [] }],
    ['with eleven identities', { identities: Array(11).fill(email('a@b.test')) }],
    ['of 101 people', { subjects: Array(101).fill({ identities: [email('a@b.test')] }) }],
    ['with more than it takes', { identities: [email('a@b.test')], requestId: '1' }],
  ])('%s is refused', async (_, body) => {
    expect((await crm(PATH, { body })).status).toBe(400)
  })

  test('of what is no address is refused with its place, for it was not looked up', async () => {
    const body = {
      subjects: [{ identities: [email('a@b.test')] }, { identities: [email('a@b.test'), email('a@b.test, c@d.test')] }],
    }
    const answer = await crm(PATH, { body })
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, '/subjects/1/identities/1/value'])
    expect((await crm(PATH, one('a@'))).body.errors[0].pointer).toBe('/identities/0/value')
  })

  test('takes as long for somebody unknown', async () => {
    const times: Record<string, number[]> = { erased: [], unknown: [] }
    for (let n = 0; n < 150; n++)
      for (const name of ['erased', 'unknown']) {
        const start = performance.now()
        await crm(PATH, one(`${name}@example.org`))
        times[name]?.push(performance.now() - start)
      }
    const [known, unknown] = Object.values(times).map(each => each.sort((a, b) => a - b)[75] ?? 0)
    expect(Math.abs((known ?? 0) - (unknown ?? 0))).toBeLessThan(5)
  })

  test('leaves no trace: no line above debug, no entry, no row, no count, no name', async () => {
    const [before, lines] = [await traces(), service.logs.length]
    const answers = await Promise.all([crm(PATH, one('erased@example.org')), crm(PATH, one('canary-nobody@example.org'))])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(await traces()).toEqual(before)
    const logged = service.logs.slice(lines)
    expect(logged.map(line => JSON.parse(line).level)).toEqual(['debug', 'debug'])
    expect(service.logs.join('')).not.toMatch(/canary-nobody|erased@example/i)
  })
})

/** How much there is of everything that a call could leave behind. */
const traces = () =>
  service.sql(`SELECT (SELECT count(*) FROM audit_entry) AS entries, (SELECT count(*) FROM idempotency_key) AS keys,
    (SELECT coalesce(sum(count), 0) FROM rate_limit) AS calls, (SELECT count(*) FROM subject_mark) AS marks`)

test('no value of a person is in the rows of marks, in whatever form', async () => {
  const rows = await service.sql<{ row: string }>('SELECT m::text AS row FROM subject_mark m')
  expect(rows.length).toBe(8)
  for (const { row } of rows)
    for (const form of ['utf8', 'hex', 'base64'] as const)
      expect(row.toLowerCase()).not.toContain(Buffer.from('example.org').toString(form).toLowerCase())
})
