import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { answeredRequest } from '../support/answered-request.ts'
import { type Answered, callAs, callers, until } from '../support/callers.ts'
import { codeIn, linkIn } from '../support/letters.ts'
import { type Service, startService } from '../support/service.ts'
import { type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

/** Begins every value planted here and nothing else: where this is found, something of a person is. */
const CANARY = `kanari${randomBytes(5).toString('hex')}`
const planted = (what: string) => `${CANARY}${what}`

/** How it would look if somebody had only wrapped it: as it is, in hex, in base64 at each of its three offsets, in UTF-16. */
function disguises(): string[] {
  const bytes = Buffer.from(CANARY)
  const inBase64 = [0, 1, 2].map(offset =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(offset ? 4 : 0, -4),
  )
  return [CANARY, bytes.toString('hex'), ...inBase64, Buffer.from(CANARY, 'utf16le').toString('hex')]
}
const FORMS = disguises()
const foundIn = (text: string): string[] => {
  const lower = text.toLowerCase()
  return FORMS.filter(form => text.includes(form) || lower.includes(form)).map(form => {
    const at = text.indexOf(form) < 0 ? lower.indexOf(form) : text.indexOf(form)
    return text.slice(Math.max(0, at - 120), at + 120)
  })
}

const EVA: Person = { userId: planted('-user'), email: `${planted('.eva')}@example.org`, name: planted(' Eva') }
const MAX: Person = { userId: planted('-other'), email: `${planted('.max')}@example.org`, name: planted(' Max') }

let house: House
let service: Service
/** Bodies and headers of everything that was refused. */
const refused: string[] = []

async function refuses(status: number, answer: Promise<Answered>): Promise<void> {
  const { status: actual, bytes, headers } = await answer
  expect([actual, bytes.toString()]).toEqual([status, expect.anything()])
  refused.push(bytes.toString() + JSON.stringify([...headers]))
}

beforeAll(async () => {
  let tries = 0
  house = await openHouse(
    {
      datasets: {
        notes: {
          title: 'Notes',
          category: 'content',
          origin: 'provided',
          purposes: ['provide_service'],
          legalBases: ['contract'],
          recipients: [],
          retention: 'account_data',
          fields: [{ name: 'text', type: 'string', title: 'Text' }],
          count: () => 4,
          records: () => [{ text: planted(' note'), [planted('Key')]: 1 }, { text: planted(' large').padEnd(40_000, CANARY) }],
          files: () => [
            { name: planted('.txt'), mediaType: 'text/plain', content: Buffer.from(planted(' small file')) },
            { name: planted('2.txt'), mediaType: 'text/plain', content: Buffer.from(planted(' file').repeat(5000)) },
          ],
        },
      },
      // An adapter that fails as adapters do: with a stack trace that quotes the person.
      prepare: async ({ person }) => {
        tries += 1
        if (tries === 1) throw new Error(`duplicate key value: ${person.email}`)
      },
    },
    [EVA, MAX],
  )
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house), LOG_LEVEL: 'trace' } })
  await registerAll(house, callers(service).agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})

describe('personal data in every field there is', () => {
  test('goes through a request of somebody without an account, to the download', async () => {
    const { anybody, agent } = callers(service)
    const identities = [
      { type: 'email', value: EVA.email.toUpperCase().replace('@EXAMPLE.ORG', '@Example.org') },
      { type: 'user_id', value: EVA.userId },
      { type: 'phone', value: planted('-555') },
    ]
    const headers = { 'idempotency-key': planted('-a-key-of-their-own-choice'), 'user-agent': planted(' browser') }
    const opened = await anybody('/v1/requests', {
      body: { type: 'access', subject: { identities, name: EVA.name }, reference: planted(' ref') },
      headers,
    })
    expect(opened.status).toBe(201)
    const at = `/v1/requests/${opened.body.id}`
    const mail = await service.mailbox.waitFor(({ envelope }) => envelope.to[0]?.toLowerCase() === EVA.email, 10_000)
    await refuses(401, anybody(`${at}/proofs`, { body: { method: 'email_code', code: CANARY.slice(0, 16) } }))
    await anybody(`${at}/proofs`, { body: { method: 'email_code', code: codeIn(mail) } })
    await until(
      () => agent()(at),
      ({ body }) => body.state === 'completed',
      25_000,
    )
    const link = linkIn(await service.mailbox.waitFor(({ text }) => text.includes('/v1/downloads/'), 10_000))
    await refuses(401, anybody(link, { body: { code: CANARY.slice(0, 16) } }))
    const { body } = await callers(service).person(EVA.userId, EVA.email)(link, { body: {} })
    const zip = await anybody(new URL(body.contentUrl).pathname)
    const handedOver = readZip(zip.bytes).map(({ content }) => content.toString())
    for (const value of [' note', ' small file', ' file', '.txt', ' Eva'])
      expect([value, handedOver.some(text => text.includes(planted(value)))]).toEqual([value, true])
    expect(JSON.stringify([opened.body, (await agent()(at)).body, (await agent()(`${at}/timeline`)).body])).not.toContain(CANARY)
  })

  test('comes in the claims of a person at the portal', async () => {
    const claims = {
      name: MAX.name,
      given_name: planted('Max'),
      phone_number: planted('-1'),
      jti: planted('-jti'),
      acr: planted('-acr'),
    }
    const max = callers(service).person(MAX.userId, MAX.email, claims)
    await answeredRequest(service, MAX)
    const body = { type: 'portability', subject: {}, reference: planted(' reference') }
    const { status, body: opened } = await max('/v1/requests', { body, headers: { 'idempotency-key': planted('-key') } })
    expect(status).toBe(201)
    await refuses(409, max('/v1/requests', { body }))
    expect((await max(`/v1/requests/${opened.id}/withdrawal`, { method: 'POST' })).status).toBe(200)
    await service.mailbox.waitFor(({ subject }) => subject === 'Your request has been withdrawn', 10_000)
  })

  test('comes from the staff, with the ticket it was asked in', async () => {
    const agent = callers(service).agent()
    const subject = { identities: [{ type: 'email', value: `${planted('.unknown')}@example.org` }], name: planted(' Unknown') }
    const body = { type: 'access', subject, channel: 'support_ticket', reference: planted('-ticket') }
    expect((await agent('/v1/requests', { body })).status).toBe(201)
    await refuses(409, agent('/v1/requests', { body }))
    const found = await agent('/v1/requests/search', { body: { reference: planted('-ticket') } })
    expect(found.body.requests).toHaveLength(1)
  })

  test('comes in what is asked of people, and in what is held of them', async () => {
    const dpo = callers(service).agent(['dpo'])
    const identities = [{ type: 'email', value: EVA.email }]
    const body = { identities, reason: 'litigation', reference: planted(' v. Almastack'), note: planted(' wrote') }
    const held = await dpo('/v1/holds', { body, headers: { 'idempotency-key': planted('-hold') } })
    expect([held.status, held.body.note]).toEqual([201, body.note])
    await refuses(409, dpo('/v1/holds', { body }))
    await refuses(403, dpo(`/v1/holds/${held.body.id}/approval`, { method: 'POST' }))
    expect((await callers(service).service()('/v1/subjects/lookup', { body: { identities } })).status).toBe(200)
    await refuses(422, dpo('/v1/holds/search', { body: { identity: { type: 'email', value: planted('@@') } } }))
  })

  test('comes where it does not belong', async () => {
    const { anybody } = callers(service)
    const agent = callers(service).agent()
    const crm = callers(service).service()
    const identity = (value: unknown) => ({ body: { type: 'access', subject: { identities: [{ type: 'email', value }] } } })
    await refuses(422, anybody('/v1/requests', identity(`${CANARY}@@`)))
    await refuses(422, anybody('/v1/requests', identity(`a@b.test, ${EVA.email}`)))
    await refuses(400, anybody('/v1/requests', identity({ value: CANARY })))
    await refuses(400, anybody('/v1/requests', { body: { type: CANARY, subject: { name: 1 } } }))
    await refuses(400, anybody('/v1/requests', { body: `{"type": "${CANARY}` }))
    await refuses(415, anybody('/v1/requests', { body: CANARY, headers: { 'content-type': `text/plain; x=${CANARY}` } }))
    await refuses(404, agent(`/v1/${CANARY}?email=${EVA.email}`))
    await refuses(400, agent(`/v1/requests/${CANARY}`))
    await refuses(400, agent(`/v1/requests?state=${CANARY}`))
    await refuses(400, agent(`/v1/requests?cursor=${CANARY}`))
    await refuses(422, crm('/v1/requests', { body: { ...identity(EVA.email).body, scope: { categories: [CANARY] } } }))
    await refuses(401, callAs(service, `${CANARY}.${CANARY}.${CANARY}`)('/v1/requests'))
    await refuses(401, callAs(service, service.issuer.mint('portal', { sub: EVA.userId, aud: CANARY }))('/v1/requests'))
    await refuses(404, anybody(`/v1/downloads/${CANARY.padEnd(43, 'a')}`))
    await refuses(410, anybody(`/v1/downloads/content/${CANARY.padEnd(43, 'a')}`))
    await refuses(400, callAs(service)('/v1/requests', { ...identity('a@b.test'), headers: { 'idempotency-key': CANARY } }))
  })

  test('is there when things break', async () => {
    await service.sql(
      `CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken: %', NEW; END $$`,
    )
    await service.sql(
      `CREATE TRIGGER broken BEFORE INSERT ON letter FOR EACH ROW WHEN (NEW.kind <> 'ready') EXECUTE FUNCTION break()`,
    )
    await service.sql('CREATE TRIGGER broken BEFORE INSERT ON request_identity FOR EACH ROW EXECUTE FUNCTION break()')
    await refuses(
      500,
      callers(service).person(EVA.userId, EVA.email)('/v1/requests', { body: { type: 'portability', subject: {} } }),
    )
    await service.sql('DROP TRIGGER broken ON request_identity')
    await callers(service).person(EVA.userId, EVA.email)('/v1/requests', { body: { type: 'portability', subject: {} } })
    await until(
      () => callers(service).anybody('/metrics'),
      ({ body }) => body.includes('dsar_jobs_failed_total{job="acknowledge"}'),
    )
    await service.sql('DROP TRIGGER broken ON letter')
  })
})

describe('none of it is found', () => {
  test('by a search that finds it in whatever it is wrapped in', () => {
    for (const around of ['', '.', '..', '...'])
      for (const encoding of ['utf8', 'hex', 'base64', 'base64url'] as const)
        expect(foundIn(Buffer.from(`${around}${planted('@example.org')}`).toString(encoding))).toHaveLength(1)
    expect(foundIn(Buffer.from(planted('x'), 'utf16le').toString('hex'))).toHaveLength(1)
    expect(foundIn(`kanari ${service.url}`)).toEqual([])
  })

  test('in what was refused', () => {
    expect(refused.length).toBeGreaterThan(15)
    expect(refused.flatMap(foundIn)).toEqual([])
  })

  test('in the log, on any level', () => {
    const levels = new Set(service.logs.map(line => JSON.parse(line).level))
    expect([...levels]).toEqual(expect.arrayContaining(['info', 'warn', 'error']))
    expect(service.logs.flatMap(foundIn)).toEqual([])
  })

  test('in the metrics', async () => {
    expect(foundIn((await callers(service).anybody('/metrics')).body)).toEqual([])
  })

  test('T90 in a mail, but for the line that says to whom it goes', () => {
    const mails = service.mailbox.messages()
    expect(mails.length).toBeGreaterThan(4)
    for (const { subject, text, html, from, headers, envelope } of mails) {
      const { to: _to, ...others } = headers
      expect(foundIn([subject, text, html, from, envelope.from, JSON.stringify(others)].join('\n'))).toEqual([])
    }
  })

  test('T53 in a dump of the database: no table, no job, no row', async () => {
    const tables = await service.sql<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`,
    )
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['public.request_identity', 'public.letter', 'public.part']),
    )
    for (const { name } of tables)
      for (const { row } of await service.sql<{ row: string }>(`SELECT t::text AS row FROM ${name} t`))
        expect([name, foundIn(row)]).toEqual([name, []])
  })

  test('T55 in the jobs, which carry nothing but ids', async () => {
    const jobs = await service.sql<{ data: object | null }>(`SELECT data FROM pgboss.job WHERE name NOT LIKE '\\_\\_pgboss%'`)
    expect(jobs.length).toBeGreaterThan(20)
    const values = jobs.flatMap(({ data }) => Object.values(data ?? {}))
    for (const value of values) expect(value).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
  })

  test('in a file of the blob store, by name or content', () => {
    const files = readdirSync(service.blobDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    expect(files.length).toBeGreaterThan(2)
    for (const { parentPath, name } of files) {
      const bytes = readFileSync(join(parentPath, name))
      expect(foundIn(`${parentPath}/${name} ${bytes.toString('latin1')} ${bytes.toString('hex')}`)).toEqual([])
    }
  })
})

test('every change of state is on the record, from the first to the last', async () => {
  // In one statement, for some of them are still on their way.
  const requests = await service.sql<{ state: string; steps: { from: string; to: string }[] }>(
    `SELECT r.state, (SELECT json_agg(json_build_object('from', facts ->> 'from', 'to', facts ->> 'to') ORDER BY seq) FROM audit_entry
       WHERE stream = 'request:' || r.id AND facts ? 'to') AS steps FROM dsar_request r`,
  )
  for (const { state, steps } of requests) {
    expect(steps.map(({ from }) => from)).toEqual(['received', ...steps.slice(0, -1).map(({ to }) => to)])
    expect(steps.at(-1)?.to).toBe(state)
  }
})
