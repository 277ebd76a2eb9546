import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { urlOf } from '../../src/demo/embedded-postgres.ts'
import { openRawAdapter, type RawAdapter, sendCollected } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'
import { type ServiceProcess, startProcess, startWorker } from '../support/worker-process.ts'

const RECORDS = [{ name: 'one' }, { name: 'two' }]
const completed = ({ state }: { state: string }) => state === 'completed'
const open: { one?: RawCase; workers: ServiceProcess[] } = { workers: [] }

afterEach(async () => {
  for (const worker of open.workers.splice(0)) {
    worker.kill('SIGKILL')
    await worker.exited
  }
  await open.one?.close()
  open.one = undefined
})

async function withWorker(
  adapter: RawAdapter,
): Promise<{ one: RawCase; worker: ServiceProcess; another(): Promise<ServiceProcess> }> {
  const one = await startCase([adapter], {}, { working: false })
  open.one = one
  const another = async () => {
    const worker = startWorker(one.service)
    open.workers.push(worker)
    await worker.started
    return worker
  }
  return { one, worker: await another(), another }
}

/** Begins an answer, as large as a blob of its own, and ends it when told. */
function stalled(adapter: RawAdapter): { begun: Promise<void>; repair(): void } {
  const begun = Promise.withResolvers<void>()
  const { collect } = adapter.on
  adapter.on.collect = (_task, res) => {
    res.writeHead(200, { 'content-type': 'application/x-ndjson' })
    res.write(`${JSON.stringify({ dataset: 'things', record: { name: 'x'.repeat(3_000_000) } })}\n`, () => begun.resolve())
  }
  return {
    begun: begun.promise,
    repair: () => {
      adapter.on.collect = collect
    },
  }
}

/** Each step of the request is on the record once, and the record holds. */
async function expectOneStory({ service, officer }: RawCase, at: string): Promise<void> {
  const { entries } = (await officer(`${at}/timeline`)).body as { entries: { event: string; facts: { to?: string } }[] }
  const states = entries.flatMap(({ facts }) => facts.to ?? [])
  expect(states).toEqual(['verifying', 'assessing', 'fulfilling', 'packaging', 'delivering', 'completed'])
  expect(entries.filter(({ event }) => event === 'task_done')).toHaveLength(2)
  expect((await officer('/v1/audit/verify', { body: {} })).body).toMatchObject({ intact: true })
  const [, id] = /([0-9a-f-]{36})$/.exec(at) ?? []
  expect(await service.sql('SELECT count(*)::int AS packages FROM sealed_package WHERE request_id = $1', [id])).toEqual([
    { packages: 1 },
  ])
  expect(
    service.mailbox.messages().filter(({ text }) => text.includes('/v1/downloads/') && text.includes(id ?? '-')),
  ).toHaveLength(1)
}

async function untilBlocked({ service }: RawCase): Promise<void> {
  const blocked = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`
  while ((await service.sql(blocked)).length === 0) await new Promise(resolve => setTimeout(resolve, 10))
}

const blobsOf = ({ service }: RawCase) =>
  readdirSync(service.blobDir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name)

describe('a worker that is killed in the middle of one answer, and of writing down that another request is packed', () => {
  test('is replaced within half a minute; each step is taken once, and what it left behind is swept', async () => {
    const adapter = await openRawAdapter('things')
    const { begun, repair } = stalled(adapter)
    const { one, worker, another } = await withWorker(adapter)
    const { service } = one
    const asking = await one.ask()
    await begun
    repair()
    const dba = await service.connect()
    await dba.query('BEGIN; LOCK TABLE sealed_package IN SHARE ROW EXCLUSIVE MODE')
    const packing = await one.ask()
    await one.see(packing, ({ state }) => state === 'packaging')
    await untilBlocked(one)
    worker.kill('SIGKILL')
    const killedAt = Date.now()
    await worker.exited
    await dba.query('ROLLBACK')

    await another()
    await one.seeTask(asking, 'things', ({ attempt }) => attempt > 1)
    await one.see(packing, completed)
    expect(Date.now() - killedAt).toBeLessThan(30_000)
    await one.see(asking, completed)
    await expectOneStory(one, asking)
    await expectOneStory(one, packing)
    const keys = adapter.calls.filter(({ task }) => asking.endsWith(task?.requestId ?? '-') && task?.action === 'collect')
    expect([keys.length, new Set(keys.map(({ key }) => key)).size]).toEqual([2, 1])

    expect(blobsOf(one).filter(name => name.startsWith('package-'))).toHaveLength(3)
    service.clock.advance(61 * 60_000)
    await service.app.handlers['forget-expired']({})
    const rows = await service.sql<{ key: string }>('SELECT blob_key AS key FROM sealed_package')
    expect(blobsOf(one).sort()).toEqual(rows.map(({ key }) => key.split('/').at(-1)).sort())
  }, 60_000)
})

describe('a worker that is told to stop', () => {
  test('gives back what it is asking at once, leaves nothing behind, and ends well', async () => {
    const adapter = await openRawAdapter('things')
    const { begun, repair } = stalled(adapter)
    const { one, worker, another } = await withWorker(adapter)
    const at = await one.ask()
    await begun
    const toldAt = Date.now()
    worker.kill('SIGTERM')
    expect(await worker.exited).toMatchObject({ code: 0, signal: null })
    expect(Date.now() - toldAt).toBeLessThan(5000)
    expect(await one.taskOf(at, 'things')).toMatchObject({ state: 'ready', attempt: 1, failures: 0 })
    expect(blobsOf(one)).toEqual([])
    repair()
    await another()
    await one.see(at, completed)
    await expectOneStory(one, at)
  })

  test('takes in an answer that came to its end meanwhile', async () => {
    const adapter = await openRawAdapter('things')
    const asked = Promise.withResolvers<() => void>()
    adapter.on.collect = (task, res) => asked.resolve(() => sendCollected(task, res, RECORDS))
    const { one, worker } = await withWorker(adapter)
    const dba = await one.service.connect()
    const at = await one.ask()
    const answer = await asked.promise
    await dba.query('BEGIN; LOCK TABLE part IN SHARE ROW EXCLUSIVE MODE')
    answer()
    await untilBlocked(one)
    worker.kill('SIGTERM')
    await new Promise(resolve => setTimeout(resolve, 100))
    await dba.query('ROLLBACK')
    expect((await worker.exited).code).toBe(0)
    expect((await one.taskOf(at, 'things')).state).toBe('done')
  })
})

describe('starting', () => {
  test('on an empty database is refused, until two migrators at once have brought it into shape', async () => {
    const one = await startCase([], {}, { working: false })
    open.one = one
    const name = `empty_${randomBytes(4).toString('hex')}`
    await one.service.sql(`CREATE DATABASE ${name}`)
    const DATABASE_URL = urlOf(one.service.config.databaseUrl, name)
    const early = await startWorker(one.service, { DATABASE_URL }).exited
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching('start once with ROLE=migrate')])

    const both = [1, 2].map(() => startProcess({ ROLE: 'migrate', DATABASE_URL }))
    expect((await Promise.all(both.map(({ exited }) => exited))).map(({ code }) => code)).toEqual([0, 0])
    const worker = startWorker(one.service, { DATABASE_URL })
    await worker.started
    worker.kill('SIGTERM')
    expect((await worker.exited).code).toBe(0)
    await one.service.sql(`DROP DATABASE ${name}`)
  })

  test('without a database ends with a word about it, and none about the password', async () => {
    const { code, stderr } = await startProcess({ ROLE: 'migrate', DATABASE_URL: 'postgres://dsar:hunter2@127.0.0.1:1/dsar' })
      .exited
    expect([code, stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED 127.0.0.1:1')])
    expect(stderr).not.toContain('hunter2')
  })
})
