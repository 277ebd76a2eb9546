import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { FastifyInstance } from 'fastify'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import type { ServerDeps } from '../../src/http/server.ts'
import type { RateLimitStore } from '../../src/platform/rate-limit.ts'
import { as, countingInMemory, startTestServer } from '../support/test-server.ts'

const routes: FastifyPluginAsyncTypebox = async api => {
  const allow = { anonymous: true, portal: true } as const
  api.get('/plain', { config: { allow } }, async () => 'x')
  api.get('/use', { config: { allow: { ...allow, service: 'use' }, onEveryUse: true } }, async () => 'x')
  api.post('/proofs', { config: { allow, rateLimit: { max: 2, timeWindow: 600_000 } } }, async () => 'x')
}

let issuer: TokenIssuer
let app: FastifyInstance
const quota = { perCaller: 5, perAddress: 3, everyUse: 8 }
beforeAll(async () => {
  issuer = await startTokenIssuer()
})
afterAll(() => issuer.close())
beforeEach(() => start())
afterEach(() => app.close())

async function start(more: Partial<ServerDeps> = {}) {
  app = (await startTestServer(issuer, routes, { quota, ...more })).app
}
const ana = () => as(issuer, 'portal', { sub: 'ana' })
const get = (headers: Record<string, string> = {}, remoteAddress = '192.0.2.1') =>
  app.inject({ method: 'GET', url: '/v1/plain', headers, remoteAddress })
const post = (headers: Record<string, string> = {}) => app.inject({ method: 'POST', url: '/v1/proofs', headers })
const use = (headers: Record<string, string> = {}) => app.inject({ method: 'GET', url: '/v1/use', headers })
const crm = () => as(issuer, 'service', { client_id: 'crm', scope: 'use' })
const times = async <T>(n: number, call: () => Promise<T>): Promise<T[]> => {
  const answers: T[] = []
  for (let i = 0; i < n; i++) answers.push(await call())
  return answers
}
const codes = (answers: { statusCode: number }[]) => answers.map(({ statusCode }) => statusCode)

describe('calls are counted', () => {
  test('per caller, wherever they call from, and the answer tells what is left', async () => {
    const answers = await times(6, () => get(ana(), `192.0.2.${Math.ceil(Math.random() * 200)}`))
    expect(codes(answers)).toEqual([200, 200, 200, 200, 200, 429])
    expect(answers[0]?.headers).toMatchObject({ 'ratelimit-policy': '"default";q=5;w=60', ratelimit: '"default";r=4;t=60' })
    expect(answers[5]?.headers).toMatchObject({ ratelimit: '"default";r=0;t=60', 'retry-after': '60' })
    expect(answers[5]?.json()).toMatchObject({ code: 'too_many_requests' })
    expect((await get(as(issuer, 'portal', { sub: 'eve' }))).statusCode).toBe(200)
  })

  test('per address without a token, and bad tokens are counted there too', async () => {
    expect(codes(await times(4, () => get()))).toEqual([200, 200, 200, 429])
    expect((await get({}, '192.0.2.2')).statusCode).toBe(200)
    expect(codes(await times(3, () => get({ authorization: 'Bearer a.b.c' }, '192.0.2.3')))).toEqual([401, 401, 401])
    expect((await get({ authorization: 'Bearer a.b.c' }, '192.0.2.3')).statusCode).toBe(429)
  })

  test('per /64 with IPv6, where one household has more addresses than there are calls', async () => {
    expect(codes(await times(3, () => get({}, `2001:db8::${Math.ceil(Math.random() * 9999)}`)))).toEqual([200, 200, 200])
    expect((await get({}, '2001:db8::ffff:1')).statusCode).toBe(429)
    expect((await get({}, '2001:db8:0:1::1')).statusCode).toBe(200)
  })

  test('no matter what X-Forwarded-For says, as long as no proxy is trusted', async () => {
    let hop = 0
    const spoofed = () =>
      get({ 'x-forwarded-for': `203.0.113.${hop++}`, forwarded: `for=203.0.113.${hop}`, 'x-real-ip': `203.0.113.${hop}` })
    expect(codes(await times(4, spoofed))).toEqual([200, 200, 200, 429])
  })

  test('by the address that a trusted proxy names', async () => {
    await app.close()
    await start({ trustProxy: ['192.0.2.1'] })
    await times(3, () => get({ 'x-forwarded-for': '203.0.113.1' }))
    expect((await get({ 'x-forwarded-for': '203.0.113.1' })).statusCode).toBe(429)
    expect((await get({ 'x-forwarded-for': '203.0.113.2' })).statusCode).toBe(200)
    expect((await get({ 'x-forwarded-for': '203.0.113.1, 203.0.113.3' })).statusCode).toBe(200) // only the proxy's own entry counts
  })

  test('by themselves on a route with its own limit', async () => {
    const answers = await times(3, () => post(ana()))
    expect(codes(answers)).toEqual([200, 200, 429])
    expect(answers[0]?.headers).toMatchObject({ 'ratelimit-policy': '"route";q=2;w=600', ratelimit: '"route";r=1;t=600' })
    expect((await get(ana())).headers.ratelimit).toBe('"default";r=4;t=60')
  })

  test('by a quota of its own where services call on every use, for services alone', async () => {
    const answers = await times(9, () => use(crm()))
    expect(codes(answers)).toEqual([...Array(8).fill(200), 429])
    expect(answers[0]?.headers).toMatchObject({ 'ratelimit-policy': '"use";q=8;w=60', ratelimit: '"use";r=7;t=60' })
    expect((await use(as(issuer, 'service', { client_id: 'shop', scope: 'use' }))).statusCode).toBe(200)
    expect(codes(await times(6, () => use(ana())))).toEqual([200, 200, 200, 200, 200, 429])
    expect((await get(ana())).statusCode).toBe(429) // counted with everything else they call
    expect(codes(await times(4, () => use()))).toEqual([200, 200, 200, 429])
  })

  test('but not those for health and documentation', async () => {
    const answers = await times(10, () => app.inject({ method: 'GET', url: '/health/live' }))
    expect(new Set(codes(answers))).toEqual(new Set([200]))
    expect(answers[0]?.headers.ratelimit).toBeUndefined()
  })
})

describe('when calls cannot be counted', () => {
  const gone = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }))
  const broken: RateLimitStore = { count: gone, standing: gone }
  beforeEach(async () => {
    await app.close()
    await start({ rateLimits: broken })
  })

  test('who showed a token is let through and the metrics tell', async () => {
    expect((await get(ana())).statusCode).toBe(200)
    expect((await app.inject({ method: 'GET', url: '/metrics' })).body).toContain('http_calls_uncounted_total 1')
  })

  test('nobody is let through without one, nor where the limit is what stops guessing', async () => {
    expect((await get()).statusCode).toBe(503)
    expect((await post(ana())).statusCode).toBe(503)
  })

  test('services go on being counted for what they call on every use, which needs no database', async () => {
    expect(codes(await times(9, () => use(crm())))).toEqual([...Array(8).fill(200), 429])
  })
})

test('a limit whose window is not in milliseconds stops the start', async () => {
  const plugin: FastifyPluginAsyncTypebox = async api => {
    api.get('/x', { config: { allow: { portal: true }, rateLimit: { max: 1, timeWindow: '1 minute' } } }, async () => 'x')
  }
  await expect(startTestServer(issuer, plugin, { rateLimits: countingInMemory() })).rejects.toThrow(/timeWindow in milliseconds/)
})
