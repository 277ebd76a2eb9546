import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { Type } from 'typebox'
import { takeRawBody } from '../../src/auth/raw-body.ts'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import { startTestServer } from '../support/test-server.ts'

const closed = { additionalProperties: false }
const Body = Type.Object(
  { name: Type.String(), count: Type.Optional(Type.Integer()), on: Type.Optional(Type.String({ format: 'date' })) },
  closed,
)
const Query = Type.Object({ limit: Type.Optional(Type.Integer()), state: Type.Optional(Type.Array(Type.String())) }, closed)
const open = { allow: { anonymous: true } } as const

const routes: FastifyPluginAsyncTypebox = async api => {
  api.post('/things', { config: open, schema: { body: Body } }, async req => req.body)
  api.post('/act', { config: open }, async () => ({ done: true }))
  api.get('/things', { config: open, schema: { querystring: Query } }, async req => req.query)
  api.get(
    '/things/:id',
    { config: open, schema: { params: Type.Object({ id: Type.String({ format: 'uuid' }) }) } },
    async req => req.params,
  )
  await api.register(async signed => {
    takeRawBody(signed)
    signed.post('/callbacks', { config: { allow: { signed: true } } }, async req => ({
      bytes: (req.body as Buffer).toString('hex'),
    }))
  })
}

let issuer: TokenIssuer
let app: FastifyInstance
beforeAll(async () => {
  issuer = await startTokenIssuer()
  app = (await startTestServer(issuer, routes, { quota: { perAddress: 10_000, perCaller: 10_000, everyUse: 10_000 } })).app
})
afterAll(async () => {
  await app.close()
  await issuer.close()
})

const post = (payload: InjectOptions['payload'], headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  app.inject({ method: 'POST', url: '/v1/things', payload, headers })

describe('a body', () => {
  test('that is as described is taken', async () => {
    expect((await post({ name: 'a', count: 1 })).json()).toEqual({ name: 'a', count: 1 })
  })

  test.each([
    ['an unknown field', { name: 'a', state: 'completed' }, '/state'],
    ['a number in quotes', { name: 'a', count: '1' }, '/count'],
    ['a missing field', { count: 1 }, '/name'],
    ['null for a text', { name: null }, '/name'],
    ['a number for a text', { name: 1 }, '/name'],
    ['a day that is none', { name: 'a', on: '2026-02-30' }, '/on'],
    ['an unknown field with a slash', { name: 'a', 'x/y': 1 }, '/x~1y'],
    ['an unknown field named oddly', { name: 'a', 'at Object.<anonymous> (/srv/x.ts:1:1)': 1 }, '/?'],
  ])('with %s is refused with its place', async (_, payload, pointer) => {
    const answer = await post(payload)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.json()).toMatchObject({ code: 'invalid_request', errors: [{ pointer }] })
  })

  test('with several faults names them all at once', async () => {
    const { errors } = (await post({ count: 'x', more: 1 })).json()
    expect(errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(['/count', '/more', '/name'])
  })

  test.each([
    ['100 000 arrays deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['100 000 objects deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['33 deep inside a field', `{"name":${'['.repeat(33)}${']'.repeat(33)}}`],
    ['cut off', '{"name":"a"'],
    ['empty', ''],
    ['naming one thing twice', '{"name":"a","n\\u0061me":"b"}'],
    ['with a prototype', '{"name":"a","__proto__":{"x":1}}'],
    ['with a constructor', '{"name":"a","constructor":{"prototype":{"x":1}}}'],
  ])('that is %s is refused', async (_, payload) => {
    const answer = await post(payload)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
  })

  test('with brackets in its text is not deep', async () => {
    expect((await post({ name: `"${'['.repeat(500)}\\` })).statusCode).toBe(200)
  })

  test.each([
    ['text/plain', 'x'],
    ['application/x-www-form-urlencoded', 'name=a'],
    ['application/xml', '<a/>'],
    ['multipart/form-data; boundary=x', '--x--'],
  ])('of type %s is refused', async (type, payload) => {
    const answer = await post(payload, { 'content-type': type })
    expect([answer.statusCode, answer.json().code]).toEqual([415, 'unsupported_media_type'])
  })

  test('that is compressed is refused unread', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const answer = await post(gzipSync(JSON.stringify({ name: 'a' })), headers)
    expect([answer.statusCode, answer.json().code]).toEqual([415, 'unsupported_media_type'])
  })

  test('of a byte over a mebibyte is refused, up to there it is taken', async () => {
    const of = (bytes: number) => `{"name":"${'x'.repeat(bytes - '{"name":""}'.length)}"}`
    expect((await post(of(1024 * 1024))).statusCode).toBe(200)
    const answer = await post(of(1024 * 1024 + 1))
    expect([answer.statusCode, answer.json().code]).toEqual([413, 'too_large'])
  })

  test('that nobody asked for is refused', async () => {
    const to = (payload?: object) => app.inject({ method: 'POST', url: '/v1/act', payload })
    expect((await to()).statusCode).toBe(200)
    expect((await to({ force: true })).statusCode).toBe(400)
  })

  test('that is none is none, whatever type a client says it has', async () => {
    const headers = { 'content-type': 'application/json' }
    expect((await app.inject({ method: 'POST', url: '/v1/act', payload: '', headers })).statusCode).toBe(200)
    expect((await app.inject({ method: 'POST', url: '/v1/act', payload: ' ', headers })).statusCode).toBe(400)
  })

  test('that is signed arrives as the bytes that were sent', async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await app.inject({ method: 'POST', url: '/v1/callbacks', payload: '{ "a":1 }', headers })
    expect(answer.json()).toEqual({ bytes: Buffer.from('{ "a":1 }').toString('hex') })
  })
})

describe('an address', () => {
  const get = (url: string) => app.inject({ method: 'GET', url })

  test('brings numbers and lists as text, which become what they are', async () => {
    expect((await get('/v1/things?limit=5&state=received')).json()).toEqual({ limit: 5, state: ['received'] })
    expect((await get('/v1/things?state=a&state=b')).json()).toEqual({ state: ['a', 'b'] })
  })

  test.each([
    ['/v1/things?limit=1&limit=2'],
    ['/v1/things?limit=five'],
    ['/v1/things?offset=1'],
    ['/v1/things/8c1b5cde-6f8e-4a6f-9a51-1d2f4f4e8a11?id=1'],
    ['/v1/things/not-a-uuid'],
    ['/v1/things/%zz'],
    [`/v1/things/${'x'.repeat(400)}`],
  ])('%s is refused', async url => {
    const answer = await get(url)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
  })
})

describe('a schema', () => {
  const starting = (plugin: FastifyPluginAsyncTypebox) => startTestServer(issuer, plugin)

  test('that lets unknown fields through stops the start, however deep', async () => {
    const inner = Type.Object({ list: Type.Array(Type.Object({ a: Type.String() })) }, closed)
    const plugin: FastifyPluginAsyncTypebox = async api => {
      api.post('/loose', { config: open, schema: { body: inner } }, async () => null)
    }
    await expect(starting(plugin)).rejects.toThrow("POST /v1/loose takes unknown fields at '/list/items'")
  })

  test('with a keyword that means nothing stops the start', async () => {
    const odd = Type.Object({ a: Type.Unsafe<string>({ type: 'string', maxLenght: 5 }) }, closed)
    const plugin: FastifyPluginAsyncTypebox = async api => {
      api.post('/odd', { config: open, schema: { body: odd } }, async () => null)
    }
    await expect(starting(plugin)).rejects.toThrow(/maxLenght/)
  })
})

describe('a method', () => {
  test.each(['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY'])(
    '%s that the address does not take is answered with those it does',
    async method => {
      const answer = await app.inject({ method: method as 'GET', url: '/v1/things' })
      expect([answer.statusCode, answer.json().code]).toEqual([405, 'method_not_allowed'])
      expect(answer.headers.allow).toBe('GET, HEAD, POST')
    },
  )

  test('nobody knows is not taken either', async () => {
    const answer = await app.inject({ method: 'PROPFIND' as 'GET', url: '/v1/things' })
    expect([answer.statusCode, answer.json().code]).toEqual([405, 'method_not_allowed'])
  })

  test('HEAD is GET without the body', async () => {
    const answer = await app.inject({ method: 'HEAD', url: '/v1/things' })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
  })

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])('cannot be overridden with %s', async name => {
    const answer = await app.inject({ method: 'GET', url: '/v1/things', headers: { [name]: 'DELETE' } })
    expect(answer.statusCode).toBe(400)
  })
})

describe('on the wire', () => {
  /** Sends bytes as they are and gives back all that comes until the connection ends. */
  async function exchange(bytes: string): Promise<string> {
    const { port } = new URL(await listening())
    return new Promise((done, failed) => {
      let answer = ''
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes))
      socket.on('data', data => {
        answer += data
      })
      socket.on('close', () => done(answer)).on('error', failed)
    })
  }
  let address: string | undefined
  async function listening(): Promise<string> {
    address ??= await app.listen({ host: '127.0.0.1', port: 0 })
    return address
  }

  test.each([
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    [
      'a token longer than a head may be',
      `GET /v1/things HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${'a'.repeat(17_000)}\r\n\r\n`,
      431,
    ],
    ['two lengths', 'POST /v1/things HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}', 400],
    [
      'a length and chunks',
      'POST /v1/things HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ])('%s is answered with a problem and the connection ends', async (_, bytes, status) => {
    const answer = await exchange(bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toContain('content-type: application/problem+json')
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status })
  })

  test('slow and silent callers are hung up on', () => {
    const { requestTimeout, headersTimeout, timeout } = app.server
    expect([requestTimeout, headersTimeout, timeout]).toEqual([60_000, 5_000, 30_000])
  })
})
