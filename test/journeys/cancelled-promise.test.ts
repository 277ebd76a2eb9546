import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { eventually } from '../support/eventually.ts'
import { callBack, openRawAdapter, type RawAdapter, sendCollected } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

let vendor: RawAdapter
let one: RawCase
/** What a DELETE is answered with. */
let status: number
let signed: number

beforeAll(async () => {
  vendor = await openRawAdapter('vendor')
  one = await startCase([vendor])
  vendor.on.collect = (task, res) => res.writeHead(202, { location: `/exports/${task.taskId}`, 'retry-after': '3600' }).end()
  vendor.on.poll = (res, req) => {
    if (req.method === 'DELETE') {
      new Webhook(vendor.secret).verify('', req.headers as Record<string, string>, { jsonParse: false }) // throws
      signed += 1
      res.writeHead(status).end()
    } else res.writeHead(202, { location: req.url, 'retry-after': '3600' }).end()
  }
})
afterAll(() => one.close())
beforeEach(() => {
  vendor.calls.length = 0
  signed = 0
  status = 204
})

const deletes = () => vendor.calls.filter(({ method }) => method === 'DELETE').map(({ path }) => path)
const cancelledOn = async (at: string) =>
  (await one.officer(`${at}/timeline`)).body.entries.filter(({ event }: { event: string }) => event === 'promise_cancelled')
/** The entry that tells of it, once there is one. */
const cancelledOnceOn = async (at: string) => {
  await eventually(async () => (await cancelledOn(at)).length === 1)
  return (await cancelledOn(at))[0]
}
const cancel = async (at: string) => {
  const etag = (await one.officer(at)).headers.get('etag') ?? ''
  const { status: answered } = await one.officer(`${at}/cancellation`, {
    body: { reason: 'opened_by_mistake' },
    headers: { 'if-match': etag },
  })
  expect(answered).toBe(200)
}

async function promised(): Promise<{ at: string; key: string }> {
  const at = await one.ask()
  await one.seeTask(at, 'vendor', ({ state }) => state === 'accepted')
  const key = vendor.calls.findLast(({ task }) => task?.action === 'collect')?.key ?? ''
  return { at, key }
}

test('a request that is taken back tells whoever promised an answer that nobody waits for it, once', async () => {
  const { at, key } = await promised()
  await cancel(at)
  expect((await cancelledOnceOn(at)).facts).toMatchObject({ adapter: 'vendor', came: 'given_up' })
  expect([deletes(), signed]).toEqual([[`/exports/${key}`], 1])
  await one.service.app.handlers['cancel-promises']({ requestId: at.split('/').at(-1) ?? '' })
  expect([deletes().length, (await cancelledOn(at)).length]).toEqual([1, 1])
})

test('T112 an adapter that calls back all the same is told that nobody waits, is not asked, and it is on the record', async () => {
  const { at } = await promised()
  await cancel(at)
  await cancelledOnceOn(at)
  const calls = vendor.calls.length
  const task = vendor.calls.findLast(call => call.task?.action === 'collect')?.task
  if (!task) throw new Error('It was asked.')
  expect((await callBack(one.anybody, vendor, task)).body.code).toBe('illegal_transition')
  const { entries } = (await one.officer(`${at}/timeline`)).body
  expect(entries.filter(({ event }: { event: string }) => event === 'called_back_late')).toHaveLength(1)
  expect([vendor.calls.length, (await one.officer(at)).body.state]).toEqual([calls, 'cancelled'])
})

test.each([
  [409, 'goes_on'],
  [404, 'given_up'],
])('that it was told is on the record also when it answers %i', async (answered, came) => {
  status = answered
  const { at } = await promised()
  await cancel(at)
  expect((await cancelledOnceOn(at)).facts).toMatchObject({ came })
})

test('an adapter that cannot be told is told later, for a day', async () => {
  status = 503
  const { at } = await promised()
  const requestId = at.split('/').at(-1) ?? ''
  await cancel(at)
  const later = () =>
    one.service.sql<{ seconds: number }>(
      `SELECT extract(epoch FROM start_after - created_on)::int AS seconds FROM pgboss.job
       WHERE name = 'cancel-promises' AND data ->> 'requestId' = $1 AND state = 'created' AND start_after > now() + interval '1 minute'`,
      [requestId],
    )
  await eventually(async () => (await later()).length === 1)
  expect([await later(), deletes().length, await cancelledOn(at)]).toEqual([[{ seconds: 300 }], 1, []])
  await one.service.sql(`UPDATE task SET finished_at = finished_at - interval '25 hours' WHERE request_id = $1`, [requestId])
  await one.service.app.handlers['cancel-promises']({ requestId })
  expect(await cancelledOn(at)).toMatchObject([{ facts: { came: 'not_reached' } }])
})

test.each([
  [false, 'goes_on', 0],
  [true, 'given_up', 1],
])('a change is given up only where the adapter says that it can: %s', async (cancellable, came, told) => {
  const { at } = await promised()
  const requestId = at.split('/').at(-1) ?? ''
  await one.service.sql(`UPDATE task SET action = 'restrict' WHERE request_id = $1 AND action = 'collect'`, [requestId])
  await one.service.sql(`UPDATE adapter SET manifest = manifest || jsonb_build_object('cancellable', $1::boolean)`, [cancellable])
  await cancel(at)
  expect((await cancelledOnceOn(at)).facts).toMatchObject({ came })
  expect(deletes()).toHaveLength(told)
})

test('a promise that was kept is nothing to be cancelled', async () => {
  const { at, key } = await promised()
  vendor.on.poll = (res, req) => {
    const task = vendor.calls.findLast(({ task: asked }) => asked?.taskId === key)?.task
    if (task && req.method === 'GET') sendCollected(task, res, [{ name: 'one' }, { name: 'two' }])
    else res.writeHead(204).end()
  }
  await one.service.sql(`UPDATE task SET run_at = now() WHERE request_id = $1 AND state = 'accepted'`, [at.split('/').at(-1)])
  await one.see(at, ({ state }) => state === 'completed')
  expect(deletes()).toEqual([])
})
