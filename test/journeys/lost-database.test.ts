import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { startPostgres } from '../../src/demo/embedded-postgres.ts'
import { migrate } from '../../src/migrate.ts'
import { openRawAdapter } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

const completed = ({ state }: { state?: string }) => state === 'completed'
const STATES = ['verifying', 'assessing', 'fulfilling', 'packaging', 'delivering', 'completed']

async function expectOneStory({ officer }: RawCase, at: string): Promise<void> {
  const { entries } = (await officer(`${at}/timeline`)).body as { entries: { facts: { to?: string } }[] }
  expect(entries.flatMap(({ facts }) => facts.to ?? [])).toEqual(STATES)
}

test('requests are answered, each step once, while every connection to the database is ended once a second', async () => {
  const adapters = await Promise.all(['one', 'two'].map(name => openRawAdapter(name)))
  const one = await startCase(adapters)
  const { service } = one
  let ended = 0
  const end = async () => {
    const found = await service.sql<{ ended: number }>(
      `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::int AS ended FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    ended += found[0]?.ended ?? 0
  }
  try {
    for (const { on } of adapters) {
      const { collect } = on
      on.collect = async (task, res, req) => {
        await new Promise(resolve => setTimeout(resolve, 300))
        await collect(task, res, req)
      }
    }
    const paths = await Promise.all([1, 2, 3, 4].map(() => one.ask()))
    await end()
    const calm = new AbortController()
    const terror = (async () => {
      // One after the other: two at once would end each other's connection.
      for (; !calm.signal.aborted; await new Promise(resolve => setTimeout(resolve, 1000))) await end()
    })()
    try {
      for (const at of paths) await one.see(at, completed, 60_000)
    } finally {
      calm.abort()
      await terror
    }
    expect(ended).toBeGreaterThan(5)
    await new Promise(resolve => setTimeout(resolve, 200))
    for (const at of paths) await expectOneStory(one, at)
    expect((await one.officer('/v1/audit/verify', { body: {} })).body).toMatchObject({ intact: true })
    const jobs = await service.sql<{ key: string; value: string }>(
      `SELECT DISTINCT e.key, e.value FROM pgboss.job j, jsonb_each_text(j.data) e WHERE j.name NOT LIKE '\\_\\_pgboss\\_\\_%'`,
    )
    expect(jobs.filter(({ key }) => !['requestId', 'letterId'].includes(key))).toEqual([])
    expect(jobs.filter(({ value }) => !/^[0-9a-f-]{36}$/.test(value))).toEqual([])
  } finally {
    await one.close()
  }
}, 120_000)

test('a database that stops at once and comes back finds everything it had promised, and the request goes on', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'dsar-restart-'))
  chmodSync(dataDir, 0o711)
  const first = await startPostgres({ dataDir })
  let second: typeof first | undefined
  await migrate({ databaseUrl: first.url })
  const adapter = await openRawAdapter('things')
  const one = await startCase([adapter], { DATABASE_URL: first.url })
  try {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { collect } = adapter.on
    adapter.on.collect = async (task, res, req) => {
      asked.resolve()
      await answer.promise
      await collect(task, res, req)
    }
    const at = await one.ask()
    await asked.promise
    await first.stop()
    expect((await one.officer(at)).status).toBe(503)
    second = await startPostgres({ dataDir, port: first.port })
    answer.resolve()
    const back = Date.now()
    await one.see(at, completed)
    expect(Date.now() - back).toBeLessThan(30_000)
    await expectOneStory(one, at)
  } finally {
    await one.close()
    await (second ?? first).stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}, 120_000)
