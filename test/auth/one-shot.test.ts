import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { routesOf } from '../../src/http/declared-routes.ts'
import { openapiYaml } from '../../src/http/describe-api.ts'
import { callAs, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const POST = { method: 'POST' }

let service: Service
let as: ReturnType<typeof callers>
let cases = 0

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
})
afterAll(() => service.close())

/** A legal hold that somebody else proposed. @returns the address of its approval */
async function waiting(): Promise<string> {
  cases += 1
  const { body } = await as.agent(['dpo'], 'officer-1')('/v1/holds', {
    body: { identities: [{ type: 'user_id', value: `u-${cases}` }], reason: 'litigation', reference: `LIT-${cases}` },
  })
  return `/v1/holds/${body.id}/approval`
}
const bearing = (claims: Record<string, unknown> = {}) =>
  callAs(service, service.issuer.mint('support_agent', { sub: 'officer-2', roles: ['dpo'], ...claims }))

describe('T42 a token does once what is for once', () => {
  test('the second time is refused, whatever the state of the thing, and does nothing', async () => {
    const [at, dpo] = [await waiting(), bearing()]
    expect((await dpo(at, POST)).status).toBe(200)
    for (const address of [at, at.toUpperCase().replace('/V1/HOLDS', '/v1/holds').replace('APPROVAL', 'approval')]) {
      const { status, body } = await dpo(address, POST)
      expect([status, body.code]).toEqual([409, 'token_used'])
    }
    expect((await bearing()(at, POST)).body.code).toBe('illegal_transition')
  })

  test('another token that bears the same jti is the same token', async () => {
    const [at, jti] = [await waiting(), randomUUID()]
    expect((await bearing({ jti })(at, POST)).status).toBe(200)
    expect((await bearing({ jti, roles: ['privacy_officer'] })(at, POST)).body.code).toBe('token_used')
  })

  test.each([undefined, '', 7])('with %p for a jti it is known by what was signed', async jti => {
    const [at, dpo] = [await waiting(), bearing({ jti })]
    expect((await dpo(at, POST)).status).toBe(200)
    expect((await dpo(at, POST)).body.code).toBe('token_used')
  })

  test('of two at the same moment one does it', async () => {
    const [at, dpo] = [await waiting(), bearing()]
    const held = await service.connect()
    await held.query('BEGIN')
    await held.query('SELECT FROM legal_hold WHERE id = $1 FOR UPDATE', [at.split('/')[3]])
    const both = [dpo(at, POST), dpo(at, POST)]
    while ((await waitingForLocks()) < 2) await new Promise(next => setTimeout(next, 10))
    await held.query('COMMIT')
    const answers = await Promise.all(both)
    expect(answers.map(({ status, body }) => body.code ?? status).sort()).toEqual([200, 'token_used'])
  })

  test('what was refused is not used up, and another thing is another thing', async () => {
    const [at, other] = [await waiting(), await waiting()]
    const proposer = callAs(service, service.issuer.mint('support_agent', { sub: 'officer-1', roles: ['dpo'] }))
    for (let tries = 0; tries < 2; tries++) expect((await proposer(at, POST)).body.code).toBe('second_person_needed')
    const dpo = bearing()
    expect((await dpo(`/v1/holds/${randomUUID()}/approval`, POST)).status).toBe(404)
    for (const hold of [at, other]) expect((await dpo(hold, POST)).status).toBe(200)
  })

  test('the answer given before is given again to the same call with its key', async () => {
    const [at, dpo] = [await waiting(), bearing()]
    const call = { ...POST, headers: { 'idempotency-key': randomUUID() } }
    const [first, again] = [await dpo(at, call), await dpo(at, call)]
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 200, 'true'])
    expect(again.body).toEqual(first.body)
  })

  test('uses are kept for longer than a token lives, and no part of the token with them', async () => {
    const uses = () => service.sql<{ n: number }>('SELECT count(*)::int AS n FROM token_use')
    const [before] = await uses()
    await service.app.handlers['forget-expired']({})
    expect(await uses()).toEqual([before])
    await service.sql(`UPDATE token_use SET used_at = used_at - interval '25 hours'`)
    await service.app.handlers['forget-expired']({})
    expect(await uses()).toEqual([{ n: 0 }])
  })
})

test('T42 every approval and every download opened by a login is for once, and says so in the description', () => {
  const { paths } = parse(openapiYaml(service.app.server)) as { paths: Record<string, Record<string, { responses: object }>> }
  const once = routesOf(service.app.server).filter(({ oneShot }) => oneShot)
  for (const { method, url } of once) {
    const described = paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    expect([url, JSON.stringify(described?.responses)]).toEqual([url, expect.stringContaining('token_used')])
  }
  const owed = routesOf(service.app.server).filter(
    ({ method, url }) => method === 'POST' && /\/(approval|grants)$|downloads/.test(url),
  )
  expect(once.map(({ url }) => url)).toEqual(expect.arrayContaining(owed.map(({ url }) => url)))
  expect(owed.length).toBeGreaterThanOrEqual(6)
})

async function waitingForLocks(): Promise<number> {
  const [row] = await service.sql<{ n: number }>(
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0',
  )
  return row?.n ?? 0
}
