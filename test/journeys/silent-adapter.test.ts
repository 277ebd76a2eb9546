import { afterEach, expect, test } from '@jest/globals'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { callBack, openRawAdapter, type RawAdapter } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

const DAY_MS = 86_400_000

let good: RawAdapter
let vendor: RawAdapter
let one: RawCase

/** Two adapters, of which one answers. */
async function start(): Promise<void> {
  good = await openRawAdapter('good')
  vendor = await openRawAdapter('vendor')
  one = await startCase([good, vendor])
}
afterEach(() => one.close())

const completed = ({ state }: { state: string }) => state === 'completed'
/** So many days go by, and on each the deadlines are looked at. */
async function live(days: number): Promise<void> {
  for (let day = 0; day < days; day += 1) {
    one.service.clock.advanceAlone(DAY_MS)
    await one.service.app.handlers['watch-deadlines']({})
  }
}
const eventsOf = async (at: string, event: string): Promise<object[]> =>
  (await one.officer(`${at}/timeline`)).body.entries.filter((entry: { event: string }) => entry.event === event)
const levelsOf = async (at: string) =>
  (await eventsOf(at, 'deadline_alarm')).map(entry => (entry as { facts: { level: string } }).facts.level)
/** An officer says, under a file number, that what this adapter has could not be had. */
async function giveUp(at: string): Promise<void> {
  const { id } = await one.taskOf(at, 'vendor')
  const body = { datasets: [{ name: 'things', outcome: 'failed', reason: 'system_down' }], reference: 'OPS-2026-7' }
  expect((await one.officer(`${at}/tasks/${id}/outcome`, { body })).status).toBe(200)
}
const WITHOUT_VENDOR = {
  complete: false,
  adaptersAsked: 2,
  adaptersAnswered: 1,
  settledByHand: 1,
  missing: [{ adapter: 'vendor', dataset: 'things', reason: 'system_down' }],
}

test('F32 an adapter that is down for a month raises every alarm, never counts as an answer, and on the last day a person says what is handed over without it', async () => {
  await start()
  vendor.on.locate = (_task, res) => res.socket?.destroy()
  const at = await one.ask()
  await one.seeTask(at, 'good', ({ state }) => state === 'done')
  await one.seeTask(at, 'vendor', ({ failures }) => failures > 0, 'locate')
  await live(29)
  expect(await levelsOf(at)).toEqual(['in_10_days', 'in_3_days', 'in_1_day'])
  await live(1)
  expect(await levelsOf(at)).toHaveLength(4)
  const waiting = await one.see(at, ({ flags }) => flags.includes('late_risk'))
  expect([waiting.state, waiting.completeness]).toEqual(['fulfilling', null])
  expect(await one.service.sql('SELECT 1 FROM sealed_package')).toEqual([])

  await giveUp(at)
  expect((await one.see(at, completed)).completeness).toMatchObject(WITHOUT_VENDOR)
})

test('F33 an adapter that promises for ever is looked at over and over, raises every alarm, and its promise is never an answer', async () => {
  await start()
  const PROMISE = { location: '/exports/1', 'retry-after': '1' }
  vendor.on.collect = (_task, res) => res.writeHead(202, PROMISE).end()
  vendor.on.poll = res => res.writeHead(202, PROMISE).end()
  const at = await one.ask()
  await one.seeTask(at, 'vendor', ({ attempt }) => attempt > 3)
  await live(30)
  expect(await levelsOf(at)).toHaveLength(4)
  const { state, completeness } = (await one.officer(at)).body
  expect([state, completeness]).toEqual(['fulfilling', null])
  await giveUp(at)
  expect((await one.see(at, completed)).completeness).toMatchObject(WITHOUT_VENDOR)
})

test('F34 a call back after a person has given the adapter up changes nothing of what was handed over, and is on the record', async () => {
  await start()
  const asked = Promise.withResolvers<TaskCall>()
  vendor.on.collect = (task, res) => {
    res.writeHead(202, { location: '/exports/1', 'retry-after': '3600' }).end(() => asked.resolve(task))
  }
  const at = await one.ask()
  await one.seeTask(at, 'vendor', ({ state }) => state === 'accepted')
  await giveUp(at)
  const done = await one.see(at, completed)
  const calls = vendor.calls.length
  for (const id of ['late-1', 'late-1']) {
    const { status, body } = await callBack(one.anybody, vendor, await asked.promise, { id })
    expect([status, body.code]).toEqual([409, 'illegal_transition'])
  }
  expect(await eventsOf(at, 'called_back_late')).toMatchObject([{ by: { kind: 'adapter', id: 'vendor' } }])
  expect([vendor.calls.length, (await one.officer(at)).body.completeness]).toEqual([calls, done.completeness])
})

test('T112 a call back for a task that was not begun, or signed by another adapter, has no effect', async () => {
  await start()
  const [asked, released] = [Promise.withResolvers<TaskCall>(), Promise.withResolvers<void>()]
  const { locate } = vendor.on
  vendor.on.locate = async (task, res, req) => {
    asked.resolve(task)
    await released.promise
    await locate(task, res, req)
  }
  const at = await one.ask()
  const { callbackUrl = '', taskId } = await asked.promise
  const { id, state } = await one.taskOf(at, 'vendor')
  const collect = { ...(await asked.promise), callbackUrl: callbackUrl.replace(taskId, id) }
  expect([state, collect.callbackUrl]).toEqual(['waiting', expect.stringContaining(id)])
  expect((await callBack(one.anybody, vendor, collect)).body.code).toBe('illegal_transition')
  expect((await callBack(one.anybody, vendor, await asked.promise, { secret: good.secret })).body.code).toBe('proof_refused')
  expect([await eventsOf(at, 'called_back'), (await one.taskOf(at, 'vendor')).state]).toEqual([[], 'waiting'])
  released.resolve()
  expect((await one.see(at, completed)).completeness.complete).toBe(true)
})

test('T112 a call back after the last day, of a request that still waits, is taken: late is better than never, and stays late', async () => {
  await start()
  const asked = Promise.withResolvers<TaskCall>()
  const { collect } = vendor.on
  vendor.on.collect = (task, res) => {
    res.writeHead(202, { location: '/exports/1', 'retry-after': '3600' }).end(() => asked.resolve(task))
  }
  const at = await one.ask()
  const task = await asked.promise
  await one.seeTask(at, 'vendor', ({ state }) => state === 'accepted')
  await live(35)
  vendor.on.poll = (res, req) => collect(task, res, req)
  expect((await callBack(one.anybody, vendor, task)).status).toBe(202)
  expect((await one.see(at, completed)).completeness.complete).toBe(true)
  expect(await levelsOf(at)).toHaveLength(4)
})
