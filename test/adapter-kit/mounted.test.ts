import { afterEach, expect, test } from '@jest/globals'
import Fastify from 'fastify'
import { type AdapterDefinition, createAdapter, type Found, type Remembered } from '../../src/adapter-kit/adapter.ts'
import { serveHttp } from '../support/loopback.ts'
import { ANA, call, DESCRIBED, linesOf, SECRET, taskFor } from './caller.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

const adapterWith = (more: Partial<AdapterDefinition<Found>> = {}) => {
  const adapter = createAdapter<Found>({
    name: 'notes',
    secrets: SECRET,
    identityTypes: [{ type: 'user_id' }],
    find: identities => ({ matched: identities }),
    datasets: {
      notes: {
        ...DESCRIBED,
        count: () => 2,
        records: () => [{ text: 'one' }],
        files: () => [{ name: 'a.txt', mediaType: 'text/plain', size: 5, key: 'a' }],
      },
    },
    openFile: async () => Buffer.from('hello'),
    ...more,
  })
  open.push(adapter.close)
  return adapter
}

/** Everything that the protocol has, at this address. */
async function answersAt(url: string): Promise<void> {
  expect((await fetch(`${url}/manifest`)).status).toBe(401)
  expect(await (await call('GET', `${url}/manifest`)).json()).toMatchObject({ name: 'notes' })
  expect((await call('POST', `${url}/tasks`, taskFor('locate'), { tampered: '{}' })).status).toBe(401)
  const lines = await linesOf(await call('POST', `${url}/tasks`, taskFor('collect')))
  const { file } = lines[1] as { file: { url: string } }
  expect(file.url.startsWith(`${url}/files/`)).toBe(true)
  expect(await (await fetch(file.url)).text()).toBe('hello')
  const promised = await call('POST', `${url}/tasks`, taskFor('locate'), { headers: { prefer: 'respond-async' } })
  const location = promised.headers.get('location') ?? ''
  expect([promised.status, location.startsWith(`${url}/tasks/`)]).toEqual([202, true])
  expect((await call('GET', location)).status).toBe(200)
  expect((await call('DELETE', location)).status).toBe(204)
}

test('an adapter is mounted below a path of a Fastify server, whose other routes stay as they are', async () => {
  const server = Fastify()
  open.push(() => server.close())
  await server.register(adapterWith().fastify, { prefix: '/dsar/v1' })
  server.post('/orders', async req => ({ got: req.body }))
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  await answersAt(`${url}/dsar/v1`)
  const other = await fetch(`${url}/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' })
  expect(await other.json()).toEqual({ got: { a: 1 } })
})

test('an adapter is mounted below a path of a bare server', async () => {
  const adapter = adapterWith()
  const server = await serveHttp(adapter.mountedAt('/dsar/'))
  open.push(server.close)
  await answersAt(`${server.url}/dsar`)
  expect((await call('GET', `${server.url}/manifest`)).status).toBe(404)
  expect((await call('GET', `${server.url}/dsarmanifest`)).status).toBe(404)
})

test('two processes that share a store give a change one effect and one answer', async () => {
  const shared = new Map<string, string>()
  const answers = {
    get: async (id: string) => JSON.parse(shared.get(id) ?? 'null') ?? undefined,
    set: async (id: string, remembered: Remembered) => {
      shared.set(id, JSON.stringify(remembered))
    },
  }
  let there = 2
  const perform = {
    erase: () => {
      const erased = there
      there = 0
      return { notes: erased }
    },
  }
  const urls = await Promise.all([1, 2].map(async () => (await adapterWith({ answers, perform }).listen()).url))
  const task = taskFor('erase')
  const bodies = []
  for (const url of urls) bodies.push(await (await call('POST', `${url}/tasks`, task)).json())
  expect(bodies[0]).toMatchObject({ datasets: [{ name: 'notes', outcome: 'completed', count: 2 }] })
  expect(bodies[1]).toEqual(bodies[0])
  const other = await call('POST', `${urls[1]}/tasks`, { ...task, subject: { identities: [ANA, { ...ANA, value: 'u-2' }] } })
  expect(other.status).toBe(422)
  expect(await other.json()).toMatchObject({ code: 'key_reused' })
  expect(JSON.stringify(await (await call('POST', `${urls[1]}/tasks`, taskFor('erase'))).json())).toContain('no_data')
})
