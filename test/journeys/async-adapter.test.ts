import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { requestStream } from '../../src/audit/record.ts'
import { somebodyWaits } from '../support/cases.ts'
import { callBack, openRawAdapter, type RawAdapter, sendCollected } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

let vendor: RawAdapter
let one: RawCase
/** The collect that was promised. */
let promised: Promise<TaskCall>
let ready: boolean

const LATER = { location: '/exports/1', 'retry-after': '3600' }

beforeAll(async () => {
  vendor = await openRawAdapter('vendor')
  one = await startCase([vendor])
})
afterAll(() => one.close())
beforeEach(() => {
  vendor.calls.length = 0
  const asked = Promise.withResolvers<TaskCall>()
  promised = asked.promise
  ready = false
  vendor.on.collect = (task, res) => {
    res.writeHead(202, LATER).end(() => asked.resolve(task))
  }
  vendor.on.poll = async res => {
    if (ready) return sendCollected(await promised, res, [{ name: 'one' }, { name: 'two' }])
    res.writeHead(202, LATER).end()
  }
})

const polls = () => vendor.calls.filter(({ method }) => method === 'GET').length
const completed = ({ state }: { state: string }) => state === 'completed'
const accepted = ({ state }: { state: string }) => state === 'accepted'
const calledBack = async (at: string) =>
  (await one.officer(`${at}/timeline`)).body.entries.filter(({ event }: { event: string }) => event === 'called_back').length

test('a promised answer is fetched as soon as the adapter calls back, long before it would be looked at', async () => {
  const at = await one.ask()
  const task = await promised
  const [{ kept }] = (await one.service.sql<{ kept: string }>('SELECT string_agg(t::text, chr(10)) AS kept FROM task t')) as [
    { kept: string },
  ]
  expect(kept).not.toContain('/exports/') // such an address may name the person
  const { nextTryAt } = await one.seeTask(at, 'vendor', accepted)
  expect(Date.parse(nextTryAt ?? '') - Date.now()).toBeGreaterThan(3_500_000)
  ready = true
  expect((await callBack(one.anybody, vendor, task)).status).toBe(202)
  expect((await one.see(at, completed)).completeness.complete).toBe(true)
  expect([polls(), vendor.calls.filter(({ task: asked }) => asked?.action === 'collect').length]).toEqual([1, 1])
})

test('F34 a call back that overtakes the promise is not lost', async () => {
  vendor.on.collect = async (task, res) => {
    ready = true
    promised = Promise.resolve(task)
    expect((await callBack(one.anybody, vendor, task)).status).toBe(202)
    res.writeHead(202, LATER).end()
  }
  const at = await one.ask()
  await one.see(at, completed)
  expect(polls()).toBe(1)
})

test('a call back that comes too early is a reason to look once, not over and over', async () => {
  vendor.on.collect = async (task, res) => {
    await callBack(one.anybody, vendor, task)
    res.writeHead(202, LATER).end()
  }
  const at = await one.ask()
  await one.seeTask(at, 'vendor', task => accepted(task) && task.attempt === 2)
  await new Promise(resolve => setTimeout(resolve, 1200)) // a worker looks for work once a second
  expect(polls()).toBe(1)
})

test('T111 the same call back ten times, some at once, is answered alike and has one effect; also after the end', async () => {
  const at = await one.ask()
  const task = await promised
  await one.seeTask(at, 'vendor', accepted)
  ready = true
  const call = () => callBack(one.anybody, vendor, task, { id: 'msg-1' })
  const statuses = [...(await Promise.all(Array.from({ length: 9 }, call))), await call()].map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([202]))
  await one.see(at, completed)
  expect((await call()).status).toBe(202)
  expect([await calledBack(at), polls()]).toEqual([1, 1])
})

test('T111 a hundred different call backs about one task are enough: more are not heard, and what was heard still is', async () => {
  const at = await one.ask()
  const task = await promised
  await one.seeTask(at, 'vendor', accepted)
  const call = (n: number) => callBack(one.anybody, vendor, task, { id: `msg-${n}` })
  for (let n = 0; n < 100; n++) expect((await call(n)).status).toBe(202)
  expect([(await call(100)).status, (await call(0)).status]).toEqual([429, 202])
  expect(await calledBack(at)).toBe(100)
  await one.service.sql(`UPDATE task SET run_at = now() WHERE state = 'accepted'`)
  ready = true
  await one.see(at, completed)
})

test('a call back waits for whoever holds the record without a hold on the task, which they may want next', async () => {
  const at = await one.ask()
  const task = await promised
  const { id } = await one.seeTask(at, 'vendor', accepted)
  const holder = await one.service.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT audit_head($1)', [requestStream(at.split('/').pop() ?? '')])
  const call = callBack(one.anybody, vendor, task)
  await somebodyWaits({ query: one.service.sql })
  await holder.query('SELECT FROM task WHERE id = $1 FOR UPDATE NOWAIT', [id])
  await holder.query('COMMIT')
  expect((await call).status).toBe(202)
})

const contradictions = async (at: string) =>
  (await one.officer(`${at}/timeline`)).body.entries.filter(({ event }: { event: string }) => event === 'answer_contradicted')
const result = ({ taskId, subject }: TaskCall, outcome: string, count: number) =>
  JSON.stringify({ taskId, matched: subject.identities.slice(0, 1), datasets: [{ name: 'things', outcome, count }] })

test('F35 what a call back says of the answer is not believed: the location says it, and whoever contradicts it has no say', async () => {
  const at = await one.ask()
  const task = await promised
  await one.seeTask(at, 'vendor', accepted)
  const bodies = [result(task, 'no_data', 0), result(task, 'completed', 9), JSON.stringify({ taskId: 'another', status: 'done' })]
  for (const body of bodies) expect((await callBack(one.anybody, vendor, task, { body })).status).toBe(202)
  await one.seeTask(at, 'vendor', seen => accepted(seen) && seen.attempt > 1) // looked at, and not ready yet
  ready = true
  // The looks that the others led to go on: one of them may have fetched the answer already, and then nobody waits.
  expect([202, 409]).toContain((await callBack(one.anybody, vendor, task)).status)
  const { completeness } = await one.see(at, completed)
  expect(completeness.complete).toBe(true)
  const { body } = await one.officer(`${at}/tasks`)
  const collected = body.tasks.find(({ action }: { action: string }) => action === 'collect')
  expect(collected.datasets).toMatchObject([{ name: 'things', outcome: 'completed', count: 2 }])
  expect(await contradictions(at)).toMatchObject([
    { by: { kind: 'adapter', id: 'vendor' }, facts: { taskId: collected.id, action: 'collect' } },
  ])
})

test('F35 a call back that contradicts the answer afterwards is refused, each time it comes, and on the record once', async () => {
  const at = await one.ask()
  const task = await promised
  await one.seeTask(at, 'vendor', accepted)
  ready = true
  const agreeing = { id: 'msg-agrees', body: result(task, 'completed', 2) }
  expect((await callBack(one.anybody, vendor, task, agreeing)).status).toBe(202)
  const { completeness } = await one.see(at, completed)
  expect(await contradictions(at)).toEqual([])
  for (const _ of [1, 2]) {
    const late = await callBack(one.anybody, vendor, task, { id: 'msg-contradicts', body: result(task, 'completed', 9) })
    expect([late.status, late.body.code]).toEqual([409, 'illegal_transition'])
    expect((await callBack(one.anybody, vendor, task, agreeing)).status).toBe(202)
  }
  expect((await callBack(one.anybody, vendor, task, { body: agreeing.body })).status).toBe(409)
  expect([await contradictions(at), (await one.officer(at)).body.completeness]).toMatchObject([[{}], completeness])
  const metrics = (await one.anybody('/metrics')).bytes.toString()
  expect(metrics).toMatch(/^dsar_adapter_answers_total{action="collect",kind="contradicted"} [1-9]/m)
})

test('T112 what was not signed by the adapter, or not so, or for no task that waits, has no effect', async () => {
  const at = await one.ask()
  const task = await promised
  await one.seeTask(at, 'vendor', accepted)
  ready = true
  const wrongSecret = `whsec_${Buffer.from('w'.repeat(24)).toString('base64')}`
  const refused = [
    await callBack(one.anybody, vendor, task, { secret: wrongSecret }),
    await callBack(one.anybody, vendor, task, { altered: '{"status":"fine"}' }),
    await one.anybody(new URL(task.callbackUrl ?? '').pathname, { body: {} }),
  ]
  expect(refused.map(({ body }) => body.code)).toEqual(['proof_refused', 'proof_refused', 'proof_refused'])
  const unknown = { ...task, callbackUrl: 'http://any/v1/callbacks/019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4' }
  expect((await callBack(one.anybody, vendor, unknown)).status).toBe(404)
  expect([await calledBack(at), polls(), (await one.taskOf(at, 'vendor')).state]).toEqual([0, 0, 'accepted'])

  await callBack(one.anybody, vendor, task)
  await one.see(at, completed)
  expect((await callBack(one.anybody, vendor, task)).body.code).toBe('illegal_transition')
})

test('an adapter that never calls back is looked at when it said', async () => {
  vendor.on.collect = (task, res) => {
    promised = Promise.resolve(task)
    ready = true
    res.writeHead(202, { ...LATER, 'retry-after': '1' }).end()
  }
  const at = await one.ask()
  await one.see(at, completed)
})

test('an adapter that forgot what it promised is asked again, under the same key', async () => {
  const at = await one.ask()
  const task = await promised
  await one.seeTask(at, 'vendor', accepted)
  vendor.on.poll = res => res.writeHead(404).end()
  vendor.on.collect = (again, res) => sendCollected(again, res, [{ name: 'one' }, { name: 'two' }])
  await callBack(one.anybody, vendor, task)
  await one.see(at, completed)
  const keys = vendor.calls.filter(({ task: asked }) => asked?.action === 'collect').map(({ key }) => key)
  expect([keys.length, new Set(keys).size]).toEqual([2, 1])
})
