import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import { startTestServer } from '../support/test-server.ts'

let issuer: TokenIssuer
beforeAll(async () => {
  issuer = await startTokenIssuer()
})
afterAll(() => issuer.close())

describe('health', () => {
  test('is ready when every check is good, and names those that are not', async () => {
    const checks = { database: true, queue: true }
    const { app } = await startTestServer(issuer, async () => {}, { ready: async () => ({ checks }) })
    expect((await app.inject({ method: 'GET', url: '/health/ready' })).json()).toEqual({ status: 'ready' })
    checks.queue = false
    const answer = await app.inject({ method: 'GET', url: '/health/ready' })
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toMatchObject({ code: 'unavailable', detail: 'Not ready: queue.' })
    expect((await app.inject({ method: 'GET', url: '/health/live' })).json()).toEqual({ status: 'live', version: '1.0.0' })
    await app.close()
  })
})

describe('metrics', () => {
  test('count by route and not by address', async () => {
    const { app } = await startTestServer(issuer, async api => {
      api.get('/people/:name', { config: { allow: { anonymous: true } } }, async () => null)
    })
    await app.inject({ method: 'GET', url: '/v1/people/ana' })
    await app.inject({ method: 'GET', url: '/nowhere/ana' })
    const { body } = await app.inject({ method: 'GET', url: '/metrics' })
    expect(body).toContain('http_request_duration_seconds_count{method="GET",route="/v1/people/:name",status="200"} 1')
    expect(body).toContain('http_request_duration_seconds_count{method="GET",route="none",status="404"} 1')
    expect(body).toContain('http_requests_in_flight 1')
    expect(body).not.toContain('ana')
    await app.close()
  })
})

describe('the end', () => {
  test('lets what has arrived be answered and takes nothing new', async () => {
    let release = () => {}
    const held = new Promise<void>(done => {
      release = done
    })
    let entered = () => {}
    const inside = new Promise<void>(done => {
      entered = done
    })
    const slow: FastifyPluginAsyncTypebox = async api => {
      api.get('/slow', { config: { allow: { anonymous: true } } }, async () => {
        entered()
        await held
        return { answered: true }
      })
    }
    const { app } = await startTestServer(issuer, slow)
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const answer = fetch(`${address}/v1/slow`)
    await inside
    const closed = app.close()
    await pause(50)
    await expect(fetch(`${address}/health/live`)).rejects.toThrow()
    release()
    expect(await (await answer).json()).toEqual({ answered: true })
    await closed
  })
})

test('T84 every answer bears the headers of a careful server', async () => {
  const { app } = await startTestServer(issuer, async () => {})
  for (const url of ['/health/live', '/v1/none', '/openapi.json']) {
    const { headers } = await app.inject({ method: 'GET', url })
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none';sandbox",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    expect(headers['strict-transport-security']).toMatch(/max-age=31536000/)
    expect(headers['x-powered-by']).toBeUndefined()
    expect(headers.server).toBeUndefined()
  }
  await app.close()
})
