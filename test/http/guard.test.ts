import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { FastifyInstance } from 'fastify'
import type { Allow } from '../../src/auth/route-config.ts'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import { routesOf } from '../../src/http/declared-routes.ts'
import { as, startTestServer, type TestServer } from '../support/test-server.ts'

let issuer: TokenIssuer
let server: TestServer
let app: FastifyInstance

const AUDIENCES: Record<string, Allow> = {
  '/service': { service: 'requests:read' },
  '/agents': { support_agent: ['agent', 'privacy_officer'] },
  '/portal': { portal: true },
  '/anybody': { anonymous: true, portal: true },
  '/mixed': { service: 'requests:open', support_agent: ['agent'], portal: true },
  '/signed': { signed: true },
  '/open': { public: true },
}

const routes: FastifyPluginAsyncTypebox = async api => {
  for (const [url, allow] of Object.entries(AUDIENCES))
    api.get(url, { config: { allow } }, async req => ({ caller: req.caller.kind }))
}

beforeAll(async () => {
  issuer = await startTokenIssuer()
  server = await startTestServer(issuer, routes)
  app = server.app
})
afterAll(async () => {
  await app.close()
  await issuer.close()
})

const callers = () => ({
  nobody: {},
  'reading service': as(issuer, 'service', { client_id: 'crm', scope: 'requests:read' }),
  'opening service': as(issuer, 'service', { client_id: 'crm', scope: 'requests:open requests:reader' }),
  agent: as(issuer, 'support_agent', { sub: 's1', roles: ['agent'] }),
  operator: as(issuer, 'support_agent', { sub: 's2', roles: ['operator'] }),
  'agent without a role': as(issuer, 'support_agent', { sub: 's3' }),
  person: as(issuer, 'portal', { sub: 'u1', scope: 'requests:read', roles: ['agent'] }),
})

/** Who gets in where. What is not named is turned away: 401 without a token, else 403. */
const LET_IN: Record<string, string[]> = {
  '/v1/service': ['reading service'],
  '/v1/agents': ['agent'],
  '/v1/portal': ['person'],
  '/v1/anybody': ['nobody', 'person'],
  '/v1/mixed': ['opening service', 'agent', 'person'],
  '/v1/signed': Object.keys(callersByName()),
  '/v1/open': Object.keys(callersByName()),
}
function callersByName(): Record<string, true> {
  const names = ['nobody', 'reading service', 'opening service', 'agent', 'operator', 'agent without a role', 'person']
  return Object.fromEntries(names.map(name => [name, true]))
}

test('every route of the router times every kind of caller is let in or turned away as declared', async () => {
  const checked = new Set<string>()
  for (const { method, url } of routesOf(app).filter(route => route.url.startsWith('/v1/'))) {
    checked.add(url)
    for (const [name, headers] of Object.entries(callers())) {
      const { statusCode } = await app.inject({ method: method as 'GET', url, headers })
      const expected = LET_IN[url]?.includes(name) ? 200 : name === 'nobody' ? 401 : 403
      expect([method, url, name, statusCode]).toEqual([method, url, name, expected])
    }
  }
  expect([...checked].sort()).toEqual(Object.keys(LET_IN).sort())
})

describe('a route', () => {
  const starting = (allow?: Allow) =>
    startTestServer(issuer, async api => {
      api.get('/thing', allow ? { config: { allow } } : {}, async () => 'x')
    })

  test.each<[string, Allow | undefined, RegExp]>([
    ['says nothing', undefined, /GET \/v1\/thing does not say who may call it/],
    ['names nobody', {}, /does not say who may call it/],
    ['is public and for the portal', { public: true, portal: true }, /public or signed and names callers/],
    ['names an empty scope', { service: '' }, /names no scope/],
    ['names no role', { support_agent: [] }, /names no role/],
  ])('that %s about its callers stops the start', async (_, allow, message) => {
    await expect(starting(allow)).rejects.toThrow(message)
  })
})

describe('who is turned away', () => {
  const get = (headers: Record<string, string>, query = '') => app.inject({ method: 'GET', url: `/v1/portal${query}`, headers })

  test('is told that a token is needed', async () => {
    const answer = await get({})
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="dsar"')
    expect(answer.json()).toMatchObject({ code: 'not_authenticated', status: 401 })
  })

  test('is told that the token is bad, but not why', async () => {
    const answers = await Promise.all(
      ['Bearer a.b.c', 'Bearer', 'Basic YTpi', `Bearer ${issuer.mint('portal', { sub: 'u', aud: 'x' })}`].map(authorization =>
        get({ authorization }),
      ),
    )
    for (const answer of answers) {
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="dsar", error="invalid_token"')
      expect(answer.body).toBe(answers[0]?.body)
    }
  })

  test('a bad token is not taken for none', async () => {
    const answer = await app.inject({ method: 'GET', url: '/v1/anybody', headers: { authorization: 'Bearer a.b.c' } })
    expect(answer.statusCode).toBe(401)
  })

  test('a token in the address is refused, even beside a good one', async () => {
    const token = issuer.mint('portal', { sub: 'u1' })
    expect((await get({}, `?access_token=${token}`)).statusCode).toBe(401)
    expect((await get({ authorization: `Bearer ${token}` }, `?access_token=${token}`)).statusCode).toBe(401)
  })

  test('is in the log with the reason and in the metrics, and no part of the token is', async () => {
    const token = issuer.mint('portal', { sub: 'canary-subject', aud: 'elsewhere' })
    await get({ authorization: `Bearer ${token}` })
    expect(server.logged()).toContain('"reason":"audience_refused"')
    for (const part of token.split('.')) expect(server.logged()).not.toContain(part)
    expect(server.logged()).not.toContain('canary-subject')
    const metrics = await app.inject({ method: 'GET', url: '/metrics' })
    expect(metrics.body).toMatch(/auth_tokens_refused_total\{reason="audience_refused"\} \d/)
  })
})

test('when the keys of an issuer cannot be had, nobody of theirs is let in and the caller may try again', async () => {
  const gone = await startTokenIssuer()
  const { app: other } = await startTestServer(gone, routes)
  const headers = as(gone, 'portal', { sub: 'u1' })
  await gone.close()
  const answer = await other.inject({ method: 'GET', url: '/v1/portal', headers })
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('10')
  expect(answer.json()).toMatchObject({ code: 'unavailable' })
  await other.close()
})
