import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { handedTask } from '../../src/handed/delivered-answers.store.ts'
import { type Database, openDatabase, type Tx } from '../../src/platform/database.ts'
import { countOpenTasks, healthOf } from '../../src/tasks/adapter-health.store.ts'
import { casesIn, readWhole } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const NOW = new Date()

let own: TestDatabase
let database: Database

beforeAll(async () => {
  own = await createDatabase()
  database = await openDatabase({ url: own.url, tables: [] })
  const cases = casesIn(database.read)
  const [request, adapter] = [await cases.request(), await cases.adapter()]
  for (const state of ['ready', 'accepted', 'waiting', 'failed', 'cancelled'] as const)
    await cases.task(request, adapter, { action: `a ${state} one`, state })
  // Enough that to read them all would be dearer than to look them up.
  await database.read.query(
    `INSERT INTO task (id, request_id, adapter_id, adapter, action, round, state, config, due_at, run_at, created_at, started_at, finished_at)
     SELECT gen_random_uuid(), $1, $2, 'archive', 'collect', n, 'done', '{}', now(), now(), now(), now(), now() - interval '30 days'
     FROM generate_series(1, 20000) AS n`,
    [request, adapter],
  )
  await database.read.query('ANALYZE task')
})
afterAll(async () => {
  await database.close()
  await own.drop()
})

describe('what was done long ago is not read', () => {
  const looks: [string, (tx: Tx) => Promise<unknown>][] = [
    ['to say how adapters do', tx => healthOf(tx, NOW)],
    ['to count what is open', countOpenTasks],
    ['to find a task by the id under which it was handed over', tx => handedTask(tx, randomUUID())],
  ]
  test.each(looks)('%s', async (_, look) => {
    expect((await readWhole(database, ['task'], look)).tables).toEqual([])
  })

  test('and what is open is counted, by its state', async () => {
    const counted = await countOpenTasks(database.read)
    expect(Object.fromEntries(counted.map(({ label, count }) => [label, count]))).toEqual({
      ready: 1,
      accepted: 1,
      waiting: 1,
      failed: 1,
    })
  })
})
