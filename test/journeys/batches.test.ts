import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { type Answered, type Call, callers, until } from '../support/callers.ts'
import { type Loopback, serveHttp } from '../support/loopback.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

const HOUR_MS = 3_600_000

let house: House
/** Stands before the library, and hears what it is asked. */
let door: Loopback
let heard: { path: string; tasks: TaskCall[] }[]
let service: Service
let officer: Call
let library: string

beforeEach(async () => {
  heard = []
  house = await openHouse({ limits: { batch: 2 } })
  const adapters = await Promise.all(
    house.adapters.map(async one => {
      if (one.name !== 'library') return one
      door = await serveHttp(hearing(one.url))
      return { ...one, url: door.url }
    }),
  )
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf({ adapters }) }, callLimits: { lingerMs: 500 } })
  officer = callers(service).agent(['privacy_officer', 'operator'])
  await registerAll({ adapters }, officer, service)
  const { body } = await officer('/v1/adapters')
  library = body.adapters.find(({ name }: { name: string }) => name === 'library').id
})
afterEach(async () => {
  await service.close()
  await door.close()
  await house.close()
})

/** Hands each call on, as it came. */
const hearing =
  (url: string): RequestListener =>
  async (req, res) => {
    const body = await text(req)
    const json = body && JSON.parse(body)
    if (json) heard.push({ path: req.url ?? '', tasks: json.tasks ?? [json] })
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = req.headers
    const answer = await fetch(`${url}${req.url}`, {
      method: req.method ?? 'GET',
      headers: headers as Record<string, string>,
      body: body || null,
    })
    const type = answer.headers.get('content-type')
    res.writeHead(answer.status, type ? { 'content-type': type } : {}).end(Buffer.from(await answer.arrayBuffer()))
  }

const see = (at: string, fits: (request: Answered['body']) => boolean) =>
  until(
    () => officer(at),
    ({ body }) => fits(body),
  )
async function erase({ userId, email }: Person): Promise<string> {
  const person = callers(service).person(userId, email)
  const { status, body } = await person('/v1/requests', { body: { type: 'erasure', subject: {} } })
  expect(status).toBe(201)
  const at = `/v1/requests/${body.id}`
  await see(at, ({ state }) => state === 'cooling_off')
  await seeTask(at, 'locate', 'done')
  return at
}
const seeTask = (at: string, asked: string, wanted: string) =>
  until(
    () => officer(`${at}/tasks`),
    ({ body }) =>
      body.tasks.some(
        ({ adapter, action, state }: { adapter: string; action: string; state: string }) =>
          adapter === 'library' && action === asked && state === wanted,
      ),
  )
const callsTo = (action: string) =>
  heard.filter(({ tasks }) => tasks.some(task => task.action === action)).map(({ path, tasks }) => [path, tasks.length])

test('two people are erased by one call to an adapter that takes several tasks, and each erasure is looked into by itself', async () => {
  const [ana, ben] = [await erase(ANA), await erase(BEN)]
  await officer(`/v1/adapters/${library}/suspension`, { method: 'POST' })
  service.clock.advanceAlone(73 * HOUR_MS)
  await service.app.handlers['end-cooling-off']({})
  for (const at of [ana, ben]) await seeTask(at, 'erase', 'ready')
  expect(callsTo('erase')).toEqual([])
  await officer(`/v1/adapters/${library}/suspension`, { method: 'DELETE' })
  for (const at of [ana, ben]) {
    const { body } = await see(at, ({ state }) => state === 'completed')
    expect([body.flags, body.completeness.complete]).toEqual([[], true])
  }
  expect(callsTo('erase')).toEqual([['/batches', 2]])
  expect([...house.done.erased].filter(key => key.startsWith('notes/')).sort()).toEqual(['notes/u-ana', 'notes/u-ben'])
})
