import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { QueryFailedError } from 'typeorm'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import { CATALOGUE, Problem, type ProblemCode } from '../../src/domain/problem.ts'
import { BadCursor } from '../../src/platform/cursor.ts'
import { KeyConflict } from '../../src/platform/idempotency.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const CANARY = 'ana.perera@example.org'
const withCode = (code: string) => Object.assign(new Error(`duplicate ${CANARY}`), { code })
const failedQuery = (code: string) => new QueryFailedError(`SELECT * FROM person WHERE email = $1`, [CANARY], withCode(code))

const thrown: Record<string, () => unknown> = {
  bug: () => new TypeError(`cannot read ${CANARY} of undefined`),
  text: () => `thrown ${CANARY}`,
  nothing: () => undefined,
  query: () => failedQuery('23505'),
  'their 404': () => Object.assign(new Error(CANARY), { statusCode: 404 }),
  lock: () => failedQuery('55P03'),
  timeout: () => failedQuery('57014'),
  shutdown: () => failedQuery('57P01'),
  refused: () => withCode('ECONNREFUSED'),
  pool: () => new Error('timeout exceeded when trying to connect'),
  key: () => new KeyConflict('in_progress'),
  reuse: () => new KeyConflict('key_reused'),
  cursor: () => new BadCursor(),
  problem: () =>
    new Problem('illegal_transition', 'It is completed.', { errors: [{ pointer: '/a', detail: 'is b' }], retryAfter: 7 }),
}

const routes: FastifyPluginAsyncTypebox = async api => {
  api.get(
    '/fail/:how',
    { config: { allow: { anonymous: true } }, schema: { params: Type.Object({ how: Type.String() }) } },
    async ({ params }) => {
      const error = thrown[params.how]
      throw error ? error() : new Problem('not_found')
    },
  )
  const Body = Type.Object({ a: Type.Optional(Type.String()), n: Type.Optional(Type.Integer()) }, { additionalProperties: false })
  api.post('/echo', { config: { allow: { anonymous: true } }, schema: { body: Body } }, async () => ({}))
}

let issuer: TokenIssuer
let server: TestServer
let app: FastifyInstance
beforeAll(async () => {
  issuer = await startTokenIssuer()
  server = await startTestServer(issuer, routes, { quota: { perAddress: 1e6, perCaller: 1e6, everyUse: 1e6 } })
  app = server.app
})
afterAll(async () => {
  await app.close()
  await issuer.close()
})

const fail = (how: string) => app.inject({ method: 'GET', url: `/v1/fail/${encodeURIComponent(how)}` })

describe('what was thrown', () => {
  test.each<[string, ProblemCode]>([
    ['bug', 'internal'],
    ['text', 'internal'],
    ['nothing', 'internal'],
    ['query', 'internal'],
    ['their 404', 'internal'],
    ['lock', 'unavailable'],
    ['timeout', 'unavailable'],
    ['shutdown', 'unavailable'],
    ['refused', 'unavailable'],
    ['pool', 'unavailable'],
    ['key', 'in_progress'],
    ['reuse', 'key_reused'],
    ['cursor', 'invalid_request'],
    ['problem', 'illegal_transition'],
  ])('%s is answered as %s, without what it said', async (how, code) => {
    const answer = await fail(how)
    const [status, title] = CATALOGUE[code]
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json()).toMatchObject({ type: `https://dsar.example/problems/${code}`, title, status, code })
    expect(answer.body).not.toContain(CANARY)
  })

  test('tells when to come again where that helps', async () => {
    expect((await fail('lock')).headers['retry-after']).toBe('5')
    expect((await fail('key')).headers['retry-after']).toBe('1')
    expect((await fail('problem')).headers['retry-after']).toBe('7')
    expect((await fail('bug')).headers['retry-after']).toBeUndefined()
  })

  test('says what the problem says', async () => {
    expect((await fail('problem')).json()).toMatchObject({
      detail: 'It is completed.',
      errors: [{ pointer: '/a', detail: 'is b' }],
    })
  })

  test('is found in the log once by the name of the occurrence, without message, query or parameters', async () => {
    const answer = await fail('query')
    const { instance } = answer.json()
    expect(instance).toBe(`urn:uuid:${answer.headers['x-request-id']}`)
    const lines = server
      .logged()
      .split('\n')
      .filter(line => line.includes(instance.slice('urn:uuid:'.length)))
    const errors = lines.map(line => JSON.parse(line)).filter(line => line.level === 'error')
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({
      code: 'internal',
      route: '/v1/fail/:how',
      err: { name: 'QueryFailedError', code: '23505' },
    })
    expect(server.logged()).not.toContain(CANARY)
    expect(server.logged()).not.toContain('SELECT')
  })
})

describe('what is not there', () => {
  test('is the same, byte for byte, whatever was asked for', async () => {
    const answers = await Promise.all(
      ['/v1/fail/8c1b5cde', '/v1/fail/other', '/v1/nothing', '/', '/v2/x', '/docs/none'].map(url =>
        app.inject({ method: 'GET', url }),
      ),
    )
    for (const { body, statusCode, headers } of answers) {
      expect(statusCode).toBe(404)
      expect(body).toBe(answers[0]?.body)
      expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
    }
  })
})

describe('the id of a call', () => {
  const withId = (id: string) => app.inject({ method: 'GET', url: '/v1/nothing', headers: { 'x-request-id': id } })

  test('is the one it came with, if that is a UUID', async () => {
    const id = '8c1b5cde-6f8e-4a6f-9a51-1d2f4f4e8a11'
    expect((await withId(id)).headers['x-request-id']).toBe(id)
  })

  test.each([['1'], ['ana@example.org'], ['{"level":"fatal"}'], ['x'.repeat(5000)]])(
    '%# is replaced if it is anything else',
    async id => {
      expect((await withId(id)).headers['x-request-id']).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/)
      expect(server.logged()).not.toContain(id === '1' ? '"reqId":"1"' : id)
    },
  )
})

test('nothing that is sent makes an answer tell of our insides', async () => {
  const method = fc.constantFrom('GET' as const, 'POST' as const, 'PUT' as const)
  const path = fc.oneof(
    fc.constantFrom('/v1/echo', '/v1/fail/bug', '/v1/fail/query', '/docs', '/problems/x', '/health/ready'),
    fc.string({ maxLength: 50 }).map(text => `/v1/fail/${encodeURIComponent(text)}`),
    fc.string({ maxLength: 50 }).map(text => `/${text.replace(/[\s#\\/]/g, '')}`),
  )
  const type = fc.constantFrom('application/json', 'text/plain', 'application/json; charset=utf-16', 'x', '')
  const payload = fc.oneof(
    fc.json(),
    fc.string(),
    fc.object().map(value => JSON.stringify(value)),
  )
  const accept = fc.string({ maxLength: 20 }).map(text => encodeURIComponent(text))
  await fc.assert(
    fc.asyncProperty(method, path, type, payload, accept, async (method, url, contentType, body, accepts) => {
      const headers = { 'content-type': contentType, accept: accepts, 'idempotency-key': accepts, 'if-match': accepts }
      const answer = await app.inject({ method, url, headers, ...(method !== 'GET' && { payload: body }) })
      if (answer.statusCode < 400) return
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
      expect(answer.json().status).toBe(answer.statusCode)
      expect(answer.body).not.toMatch(
        /\bat \S+ \(|node:|node_modules|file:|\.ts:|SELECT|person|127\.0\.0\.1|localhost|FST_|Error\b|@example/,
      )
    }),
    { numRuns: 200 },
  )
})

test('T88 nothing in an answer follows the Host header', async () => {
  const [mine, theirs] = await Promise.all(
    ['dsar.example', 'evil.example'].map(host =>
      app.inject({ method: 'GET', url: '/v1/fail/problem', headers: { host, 'x-forwarded-host': host } }),
    ),
  )
  expect(theirs?.body).toBe(mine?.body)
  const described = await app.inject({ method: 'GET', url: '/openapi.json', headers: { host: 'evil.example' } })
  expect(described.body).not.toContain('evil.example')
})
