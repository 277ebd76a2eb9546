import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { requestKey, sendAnswer } from '../../src/auth/request-key.ts'
import { requireMatch } from '../../src/auth/require-match.ts'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import { as, startTestServer } from '../support/test-server.ts'

const AnyBody = Type.Record(Type.String(), Type.Unknown())

const routes: FastifyPluginAsyncTypebox = async api => {
  const config = { allow: { portal: true, anonymous: true } } as const
  for (const url of ['/things', '/others']) {
    api.post(url, { config, schema: { body: AnyBody } }, async req => requestKey(req) ?? { none: true })
  }
  api.post('/things/:id', { config, schema: { body: AnyBody } }, async req => requestKey(req) ?? { none: true })
  api.patch('/things', { config }, async req => {
    requireMatch(req, 3)
    return { done: true }
  })
  api.post('/answered', { config }, async (_req, reply) =>
    sendAnswer(reply, { status: 202, headers: { location: '/x' }, body: { a: 1 }, replayed: true }),
  )
}

let issuer: TokenIssuer
let app: FastifyInstance
beforeAll(async () => {
  issuer = await startTokenIssuer()
  app = (await startTestServer(issuer, routes)).app
})
afterAll(async () => {
  await app.close()
  await issuer.close()
})

const ana = () => as(issuer, 'portal', { sub: 'ana' })
const keyOf = async (
  headers: Record<string, string>,
  { url = '/v1/things', payload = {} }: { url?: string; payload?: object } = {},
) => (await app.inject({ method: 'POST', url, headers, payload })).json()

const hashed = (key: string) => createHash('sha256').update(key).digest('hex')

describe('the key of a call', () => {
  test('belongs to the caller and the route', async () => {
    const key = { ...ana(), 'idempotency-key': 'k1' }
    expect(await keyOf(key)).toMatchObject({ key: hashed('k1'), scope: `${issuer.url}/portal|ana POST /v1/things` })
    expect((await keyOf(key, { url: '/v1/others' })).scope).toMatch(/ POST \/v1\/others$/)
    expect((await keyOf({ ...as(issuer, 'portal', { sub: 'eve' }), 'idempotency-key': 'k1' })).scope).toContain('|eve ')
  })

  test('goes with what was asked, in whatever order it was written', async () => {
    const key = { ...ana(), 'idempotency-key': 'k1' }
    const { bodyHash } = await keyOf(key, { payload: { a: 1, b: { c: [1, 2], d: null } } })
    expect(bodyHash).toMatch(/^[\da-f]{64}$/)
    expect((await keyOf(key, { payload: { b: { d: null, c: [1, 2] }, a: 1 } })).bodyHash).toBe(bodyHash)
    for (const other of [{ a: 1 }, { a: '1', b: { c: [1, 2], d: null } }, { a: 1, b: { c: [2, 1], d: null } }]) {
      expect((await keyOf(key, { payload: other })).bodyHash).not.toBe(bodyHash)
    }
    const [one, two] = [await keyOf(key, { url: '/v1/things/1' }), await keyOf(key, { url: '/v1/things/2' })]
    expect(one.scope).toBe(two.scope)
    expect(one.bodyHash).not.toBe(two.bodyHash)
  })

  test('need not be', async () => {
    expect(await keyOf(ana())).toEqual({ none: true })
  })

  test.each([[''], ['x'.repeat(256)], ['a b'], ['ä'], ['a\tb']])('cannot be %p', async key => {
    expect(await keyOf({ ...ana(), 'idempotency-key': key })).toMatchObject({ code: 'invalid_request' })
  })

  test('of somebody without a token has to be one that nobody guesses', async () => {
    expect(await keyOf({ 'idempotency-key': 'order-1' })).toMatchObject({ code: 'invalid_request' })
    const uuid = '8c1b5cde-6f8e-4a6f-9a51-1d2f4f4e8a11'
    expect(await keyOf({ 'idempotency-key': uuid })).toMatchObject({ key: hashed(uuid), scope: 'anonymous POST /v1/things' })
  })
})

test('an answer that was given before is sent as it was, and says so', async () => {
  const answer = await app.inject({ method: 'POST', url: '/v1/answered' })
  expect([answer.statusCode, answer.json()]).toEqual([202, { a: 1 }])
  expect(answer.headers).toMatchObject({ location: '/x', 'idempotency-replayed': 'true' })
})

test.each([
  ['"v3"', 200],
  ['*', 200],
  ['"v2"', 412],
  [undefined, 428],
])('a decision with If-Match %p on version 3 is answered with %p', async (ifMatch, status) => {
  const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch }
  const answer = await app.inject({ method: 'PATCH', url: '/v1/things', headers })
  expect(answer.statusCode).toBe(status)
})
