import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { callers } from '../support/callers.ts'
import { letIn } from '../support/let-in.ts'
import { openRawAdapter, type RawAdapter, sendCollected, sendJson } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

let one: RawCase
let adapters: Record<string, RawAdapter>

async function start(...names: string[]): Promise<void> {
  const all = await Promise.all(names.map(name => openRawAdapter(name)))
  adapters = Object.fromEntries(all.map(adapter => [adapter.name, adapter]))
  one = await startCase(all)
}
afterEach(() => one.close())

const named = (name: string): RawAdapter => {
  const adapter = adapters[name]
  if (!adapter) throw new Error(`There is no adapter ${name}.`)
  return adapter
}
const completed = ({ state }: { state: string }) => state === 'completed'

describe('a request to services of which one is down, one slow and one answers nonsense', () => {
  test('goes on with those who answer, names those who do not, and is whole once they are repaired', async () => {
    await start('good', 'down', 'slow', 'hostile')
    const { down, slow, hostile } = { down: named('down').on, slow: named('slow').on, hostile: named('hostile').on }
    const healthy = { ...down }
    const released = Promise.withResolvers<void>()
    down.locate = (_task, res) => res.socket?.destroy()
    slow.locate = async (task, res, req) => {
      await released.promise
      await healthy.locate(task, res, req)
    }
    hostile.locate = (_task, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please log in</h1>')
    const at = await one.ask()

    await one.seeTask(at, 'good', ({ state }) => state === 'done')
    const seen = await one.see(at, ({ flags }) => flags.includes('failed_task'))
    expect([seen.state, seen.flags]).toEqual(['fulfilling', ['failed_task']])
    expect(await one.taskOf(at, 'hostile', 'locate')).toMatchObject({
      state: 'failed',
      problem: { code: 'unexpected_media_type' },
    })
    expect(await one.seeTask(at, 'down', ({ failures }) => failures > 0, 'locate')).toMatchObject({
      problem: { code: 'connection' },
    })
    expect((await one.taskOf(at, 'slow', 'locate')).state).toBe('running')
    expect((await one.taskOf(at, 'hostile')).state).toBe('waiting')

    Object.assign(down, healthy)
    Object.assign(hostile, healthy)
    released.resolve()
    expect((await one.retry(at, 'hostile', 'locate')).status).toBe(202)
    const whole = await one.see(at, completed)
    expect([whole.flags, whole.completeness]).toEqual([
      [],
      { complete: true, adaptersAsked: 4, adaptersAnswered: 4, missing: [] },
    ])
  })
})

describe('an answer about somebody else', () => {
  test('keeps the request waiting under its flag, and nothing of it is kept; once repaired and asked again, all goes on', async () => {
    await start('good', 'mixed')
    const { on } = named('mixed')
    const healthy = on.collect
    on.collect = (task, res) => sendCollected(task, res, [{ name: 'Ben' }], [{ type: 'user_id', value: 'u-ben' }])
    const at = await one.ask()
    const { state } = await one.see(at, ({ flags }) => flags.includes('quarantined'))
    await one.seeTask(at, 'good', task => task.state === 'done')
    expect(state).toBe('fulfilling')
    expect(await one.service.sql('SELECT 1 FROM sealed_package')).toEqual([])
    const kept = await one.service.sql(`SELECT DISTINCT t.adapter FROM part p JOIN task t ON t.id = p.task_id`)
    expect(kept).toEqual([{ adapter: 'good' }])

    const asked = named('mixed').calls.filter(({ task }) => task?.action === 'collect')
    on.collect = healthy
    await one.retry(at, 'mixed')
    const { flags, completeness } = await one.see(at, completed)
    expect([flags, completeness.complete]).toEqual([[], true])
    const again = named('mixed').calls.findLast(({ task }) => task?.action === 'collect')
    expect(again?.key).not.toBe(asked[0]?.key) // under the old one, the adapter would repeat what it said
  })
})

describe('a task that failed for good', () => {
  test('is asked again only by those who may, and not once it is done', async () => {
    await start('broken')
    const { on } = named('broken')
    const healthy = on.locate
    on.locate = (_task, res) => sendJson(res, 422, { code: 'nope' })
    const at = await one.ask()
    const { id } = await one.seeTask(at, 'broken', ({ state }) => state === 'failed', 'locate')
    const agent = callers(one.service).agent(['agent'])
    expect((await agent(`${at}/tasks/${id}/retry`, { method: 'POST' })).status).toBe(403)
    on.locate = healthy
    expect((await one.retry(at, 'broken', 'locate')).status).toBe(202)
    await one.see(at, completed)
    expect((await one.retry(at, 'broken', 'locate')).body.code).toBe('illegal_transition')
    const events = (await one.officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)
    expect(
      events.filter((event: string) => ['task_failed', 'task_retried', 'flag_raised', 'flag_lowered'].includes(event)),
    ).toEqual(['task_failed', 'flag_raised', 'task_retried', 'flag_lowered'])
  })
})

describe('an adapter that answers every other call', () => {
  test('F31 is asked until it has answered all, under one key for each task, and nothing it left half stays', async () => {
    await start('flapping')
    const { on, calls } = named('flapping')
    const healthy = { ...on }
    let calm = false
    const flap = () => {
      calm = !calm
      return !calm
    }
    on.locate = (task, res, req) => (flap() ? healthy.locate(task, res, req) : sendJson(res, 502, {}))
    on.collect = (task, res, req) => {
      if (flap()) return healthy.collect(task, res, req)
      res
        .writeHead(200, { 'content-type': 'application/x-ndjson' })
        .write(`{"dataset":"things","record":{"name":"${'x'.repeat(40_000)}"}}\n`)
      setTimeout(() => res.destroy(), 50)
    }
    const at = await one.ask()
    expect((await one.see(at, completed)).completeness.complete).toBe(true)
    expect(calls).toHaveLength(4)
    expect(new Set(calls.map(({ key }) => key)).size).toBe(2)
    expect(calls.map(({ task }) => task?.attempt)).toEqual([1, 2, 1, 2])
    const blobs = readdirSync(one.service.blobDir, { recursive: true }).map(String)
    expect(blobs.filter(name => name.includes('/parts/') && /\.(json|csv)$/.test(name))).toEqual([])
  })
})

describe('an adapter that asks for patience', () => {
  test('F30 without end is asked again within hours all the same', async () => {
    await start('busy')
    named('busy').on.locate = (_task, res) => sendJson(res, 503, {}, { 'retry-after': '1000000000' })
    const at = await one.ask()
    const { nextTryAt } = await one.seeTask(at, 'busy', ({ failures }) => failures === 1, 'locate')
    const hours = (Date.parse(nextTryAt ?? '') - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(1)
    expect(hours).toBeLessThan(6.1)
  })
})

describe('an adapter whose traffic was stopped', () => {
  test('shows on its tasks why they wait, until it goes on', async () => {
    await start('good', 'stopped')
    const suspension = `/v1/adapters/${one.ids.stopped}/suspension`
    expect((await one.officer(suspension, { method: 'POST' })).status).toBe(200)
    const at = await one.ask()
    await one.seeTask(at, 'good', ({ state }) => state === 'done')
    for (const action of ['locate', 'collect'])
      expect((await one.taskOf(at, 'stopped', action)).problem).toEqual({
        code: 'adapter_suspended',
        detail: expect.any(String),
        at: expect.stringMatching(/Z$/),
      })
    expect((await one.officer(suspension, { method: 'DELETE' })).status).toBe(200)
    await one.see(at, completed)
    expect((await one.taskOf(at, 'stopped')).problem).toBeNull()
  })
})

describe('an adapter that changes while a request is under way', () => {
  const change = async (body: object) => {
    const path = `/v1/adapters/${one.ids.moved}`
    const etag = (await one.officer(path)).headers.get('etag') ?? ''
    expect((await one.officer(path, { method: 'PATCH', body, headers: { 'if-match': etag } })).status).toBe(200)
    await letIn(one.service)
  }
  const failing = async () => {
    await start('moved', 'elsewhere')
    named('moved').on.locate = (_task, res) => sendJson(res, 400, {})
    const at = await one.ask()
    await one.seeTask(at, 'moved', ({ state }) => state === 'failed', 'locate')
    return at
  }

  test('F37 is asked where it was when the request began, and where it is now once a person has it asked again', async () => {
    const at = await failing()
    const { moved, elsewhere } = { moved: named('moved'), elsewhere: named('elsewhere') }
    await one.seeTask(at, 'elsewhere', ({ state }) => state === 'done')
    const before = elsewhere.calls.length
    await one.service.sql(`UPDATE adapter SET base_url = $1 WHERE name = 'moved'`, [elsewhere.url])
    await one.service.sql(`UPDATE task SET state = 'ready' WHERE state = 'failed'`)
    await one.seeTask(at, 'moved', ({ attempt, state }) => attempt === 2 && state === 'failed', 'locate')
    expect([moved.calls.length, elsewhere.calls.length]).toEqual([2, before])
    expect((await one.officer(at)).body).toMatchObject({ state: 'fulfilling', completeness: null })

    await one.retry(at, 'moved', 'locate')
    await one.seeTask(at, 'moved', ({ state }) => state === 'done', 'locate')
    expect(elsewhere.calls.length).toBe(before + 1)
    expect((await one.see(at, completed)).completeness).toMatchObject({ complete: true, adaptersAnswered: 2 })
  })

  test('F37 is signed to with both secrets while one replaces the other', async () => {
    const at = await failing()
    await change({ secret: `whsec_${Buffer.from('n'.repeat(24)).toString('base64')}` })
    await one.retry(at, 'moved', 'locate')
    await one.seeTask(at, 'moved', ({ attempt, state }) => attempt === 2 && state === 'failed', 'locate')
    expect(named('moved').calls.map(({ signatures }) => signatures)).toEqual([1, 2])
  })
})

describe('two services that know people, of which one fails first', () => {
  test('are each asked one question: what the other found out is not in the second try', async () => {
    const [knows, fails] = await Promise.all(
      ['knows', 'fails'].map(name => openRawAdapter(name, { actions: ['resolve', 'collect'] })),
    )
    if (!knows || !fails) throw new Error('Two were opened.')
    one = await startCase([knows, fails])
    const known = Promise.withResolvers<void>()
    knows.on.resolve = ({ taskId, subject }, res) => {
      const matched = subject.identities
      const found = [...matched, { type: 'email', value: 'older@example.org' }]
      sendJson(res, 200, { taskId, matched, identities: found, contactPoints: [], status: 'match' })
    }
    fails.on.resolve = async (_task, res) => {
      await known.promise
      fails.on.resolve = (_again, later) => later.writeHead(204).end()
      sendJson(res, 500, {})
    }
    const at = await one.ask()
    await one.seeTask(at, 'knows', ({ state }) => state === 'done', 'resolve')
    known.resolve()
    await one.see(at, completed)
    const [first, second] = fails.calls.filter(({ task }) => task?.action === 'resolve')
    expect([second?.key, second?.task?.subject]).toEqual([first?.key, first?.task?.subject])
    const collected = fails.calls.find(({ task }) => task?.action === 'collect')
    expect(collected?.task?.subject.identities).toContainEqual({ type: 'email', value: 'older@example.org' })
  })
})

describe('trouble of our own', () => {
  const large = [{ name: 'x'.repeat(600_000) }, { name: 'two' }]

  test('with the disk shows on the task, and passes with it', async () => {
    await start('good')
    const { on } = named('good')
    on.collect = (task, res) => sendCollected(task, res, large)
    const partials = join(one.service.blobDir, '.partial')
    rmSync(partials, { recursive: true })
    const at = await one.ask()
    const { state, problem } = await one.seeTask(at, 'good', ({ failures }) => failures > 0)
    expect([state, problem?.code]).toEqual(['ready', 'own_trouble'])
    mkdirSync(partials)
    expect((await one.see(at, completed)).completeness.complete).toBe(true)
  })

  test('that ended five workers in a row goes to a person, who may have it tried again', async () => {
    await start('deadly')
    const { on } = named('deadly')
    const healthy = on.locate
    on.locate = async (_task, res) => {
      await one.service.sql(`UPDATE task SET lost = 4, run_at = now(), lease_until = now() WHERE action = 'locate'`)
      setTimeout(() => res.destroy(), 3000).unref()
    }
    const at = await one.ask()
    const { problem } = await one.seeTask(at, 'deadly', ({ state }) => state === 'failed', 'locate')
    expect([problem?.code, (await one.see(at, ({ flags }) => flags.length > 0)).flags]).toEqual(['worker_lost', ['failed_task']])
    on.locate = healthy
    await one.retry(at, 'deadly', 'locate')
    await one.see(at, completed)
  })
})
