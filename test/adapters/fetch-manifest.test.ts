import { afterEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { endpoint, fetchManifest } from '../../src/adapters/fetch-manifest.ts'
import { createOutbound } from '../../src/platform/outbound.ts'
import { SECRET } from '../support/adapter-calls.ts'
import { type Loopback, serveHttp } from '../support/loopback.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const it of open.splice(0)) await it.close()
})
const serve = async (listener: Parameters<typeof serveHttp>[0]): Promise<Loopback> => {
  const server = await serveHttp(listener)
  open.push(server)
  return server
}
function fetchFrom(baseUrl: string, allowedHosts = [new URL(baseUrl).host]) {
  const outbound = createOutbound({ allowedHosts })
  open.unshift(outbound)
  return fetchManifest({ outbound, clock: { now: () => new Date() } }, { baseUrl, secrets: [SECRET] })
}

const nothing = {
  protocol: 'dsar-adapter/1',
  name: 'cache',
  actions: ['locate'],
  identityTypes: [],
  datasets: [],
  holdsNothingBecause: 'Counters only.',
}

describe('the manifest of an adapter', () => {
  test('is asked for with a signature, below whatever path the adapter has', async () => {
    const server = await serve((req, res) => {
      new Webhook(SECRET).verify('', req.headers as Record<string, string>)
      res
        .writeHead(req.url === '/dsar/manifest' ? 200 : 404, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify(nothing))
    })
    expect(await fetchFrom(`${server.url}/dsar/`)).toMatchObject({ name: 'cache', limits: { concurrency: 4 } })
  })

  test.each<[string, number, string, string]>([
    ['as a page', 200, 'text/html', JSON.stringify(nothing)],
    ['with another status', 201, 'application/json', JSON.stringify(nothing)],
    ['by a redirect', 302, 'application/json', JSON.stringify(nothing)],
    ['nested too deep', 200, 'application/json', '['.repeat(300_000)],
    ['as no JSON', 200, 'application/json', 'manifest'],
    ['as no manifest', 200, 'application/json', '{}'],
    ['of two megabytes', 200, 'application/json', ' '.repeat(2_000_000)],
  ])('that comes %s is refused', async (_, status, type, body) => {
    const server = await serve((_req, res) => res.writeHead(status, { 'content-type': type, location: '/' }).end(body))
    await expect(fetchFrom(server.url)).rejects.toMatchObject({ code: 'manifest_refused' })
  })

  test('of an adapter that cannot be reached is refused with the reason', async () => {
    const server = await serveHttp(() => {})
    await server.close()
    await expect(fetchFrom(server.url)).rejects.toMatchObject({
      code: 'manifest_refused',
      detail: expect.stringContaining('connection'),
    })
  })

  test('at an address that may not be called is not asked for', async () => {
    const server = await serve((_, res) => res.end())
    await expect(fetchFrom(server.url, [])).rejects.toMatchObject({ code: 'address_refused' })
    expect(server.connections()).toBe(0)
  })
})

test('an endpoint keeps the path of the base address and nothing behind it', () => {
  expect(endpoint('https://a.example', 'tasks')).toBe('https://a.example/tasks')
  expect(endpoint('https://a.example/x//?y=1#z', 'tasks')).toBe('https://a.example/x/tasks')
})
