import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { type Loopback, serveBytes } from '../support/loopback.ts'
import { hostsOfRaw, openRawAdapter } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

let mute: Loopback
let one: RawCase

/** Two adapters, of which one takes connections, reads, and never says a word once it was let in. */
beforeAll(async () => {
  mute = await serveBytes('', () => {})
  const adapters = [await openRawAdapter('good'), await openRawAdapter('mute')]
  const env = { ADAPTER_ALLOWED_HOSTS: [hostsOfRaw(adapters), mute.host].join(',') }
  one = await startCase(adapters, env, { callLimits: { headersMs: 300 } })
  await one.service.sql(`UPDATE adapter SET base_url = $1 WHERE name = 'mute'`, [mute.url])
})
afterAll(async () => {
  await one.close()
  await mute.close()
})

const health = async () => (await one.officer(`/v1/adapters/${one.ids.mute}/health`)).body
const isAsked = async () => (await one.service.sql(`SELECT 1 FROM task WHERE state = 'running'`)).length > 0

test('T69 an adapter that takes connections and never answers is left in peace after five tries, and keeps nobody from the others', async () => {
  const all = [await one.ask(), await one.ask(), await one.ask()]
  for (const at of all) await one.seeTask(at, 'good', ({ state }) => state === 'done')
  await eventually(async () => (await health()).breaker === 'open' && !(await isAsked()), 20_000)
  const { restingUntil } = await health()
  expect(Date.parse(restingUntil) - Date.now()).toBeGreaterThan(5000)
  const tries = mute.connections()
  expect(tries).toBeGreaterThanOrEqual(5)
  expect(tries).toBeLessThanOrEqual(5 + 3) // each request's first try may be on its way when the fifth fails

  const later = await one.ask()
  await one.seeTask(later, 'good', ({ state }) => state === 'done')
  expect([mute.connections(), (await one.officer(later)).body.state]).toEqual([tries, 'fulfilling'])
  expect(await one.taskOf(later, 'mute', 'locate')).toMatchObject({ state: 'ready', attempt: 0 })
  expect(await one.taskOf(all[0] as string, 'mute', 'locate')).toMatchObject({ problem: { code: 'timeout' } })
})
