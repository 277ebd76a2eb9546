import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { forgetRateLimits, localRateLimits, postgresRateLimits, type RateLimitStore } from '../../src/platform/rate-limit.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let db: Database
let limits: RateLimitStore
beforeAll(async () => {
  database = await createDatabase()
  db = await openDatabase({ url: database.url, tables: [] })
  limits = postgresRateLimits(db.read)
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

/** Lets a window of a key be over, without waiting for it. */
const endWindows = () => db.read.query(`UPDATE rate_limit SET resets_at = now() - interval '1 second'`)

describe('calls under one key', () => {
  test('are counted up until their window ends, and then anew', async () => {
    expect(await limits.count('a', 60_000)).toMatchObject({ count: 1 })
    const { count, endsInMs } = await limits.count('a', 60_000)
    expect(count).toBe(2)
    expect(endsInMs).toBeGreaterThan(55_000)
    expect(endsInMs).toBeLessThanOrEqual(60_000)
    await endWindows()
    expect(await limits.count('a', 60_000)).toMatchObject({ count: 1 })
  })

  test('are each counted once when many come at the same time', async () => {
    const counts = await Promise.all(Array.from({ length: 50 }, () => limits.count('busy', 60_000)))
    expect(counts.map(({ count }) => count).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })

  test('have nothing to do with those under another', async () => {
    await limits.count('b', 60_000)
    expect(await limits.count('c', 60_000)).toMatchObject({ count: 1 })
  })
})

test('calls counted in the process alone are counted per key until the window ends, and forgotten then', async () => {
  let elapsed = 1000
  const local = localRateLimits(() => elapsed)
  expect(await local.count('a', 60_000)).toEqual({ count: 1, endsInMs: 60_000 })
  elapsed += 59_999
  expect(await local.count('a', 60_000)).toEqual({ count: 2, endsInMs: 1 })
  expect(await local.count('b', 60_000)).toEqual({ count: 1, endsInMs: 1 })
  elapsed += 1
  expect(await local.count('a', 60_000)).toEqual({ count: 1, endsInMs: 60_000 })
})

test('keys are not kept in clear', async () => {
  await limits.count('address 192.0.2.77', 60_000)
  const rows = await db.read.query<{ key: string }[]>('SELECT key FROM rate_limit')
  expect(JSON.stringify(rows)).not.toContain('192.0.2.77')
})

test('windows that are over can be forgotten, and only those', async () => {
  await limits.count('old', 60_000)
  await endWindows()
  await limits.count('new', 60_000)
  await forgetRateLimits(db.read)
  expect(await db.read.query('SELECT count(*)::int AS n FROM rate_limit')).toEqual([{ n: 1 }])
  expect(await limits.count('new', 60_000)).toMatchObject({ count: 2 })
})
