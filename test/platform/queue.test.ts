import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { installQueue, openQueue, type Queue, type WorkerOptions } from '../../src/platform/queue.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

interface Jobs {
  quick: { n: number }
  doomed: { requestId: string }
}
const NAMES = ['quick', 'doomed'] as const

let own: TestDatabase
let database: Database
let queue: Queue<Jobs>
let done: number[]
let failures: string[]
let givenUp: { name: string; data: object }[]

beforeEach(async () => {
  own = await createDatabase()
  await installQueue(own.url, NAMES)
  database = await openDatabase({ url: own.url, tables: [] })
  queue = await openQueue<Jobs>({ url: own.url, names: NAMES, onError: () => {} })
  done = []
  failures = []
  givenUp = []
})
afterEach(async () => {
  await queue.stop()
  await database.close()
  await own.drop()
})

const work = (quick: (job: Jobs['quick']) => Promise<void> = async () => {}, more: Partial<WorkerOptions<Jobs>> = {}) =>
  queue.work(
    {
      quick: async job => {
        await quick(job)
        done.push(job.n)
      },
      doomed: async () => {
        throw new Error('as always')
      },
    },
    {
      schedule: {},
      lengthy: new Set(),
      hands: 2,
      onGivenUp: async (name, data) => void givenUp.push({ name, data }),
      onFailure: name => failures.push(name),
      ...more,
    },
  )
const send = (n: number) => database.transact(tx => queue.enqueue(tx, 'quick', { n }))
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
async function until(fits: () => boolean, ms = 10_000): Promise<number> {
  const begun = Date.now()
  while (!fits()) {
    if (Date.now() - begun > ms) throw new Error(`Not within ${ms} ms: ${JSON.stringify({ done, failures, givenUp })}`)
    await pause(5)
  }
  return Date.now() - begun
}

describe('a job', () => {
  test('exists if, and only if, the transaction it was sent in commits', async () => {
    await work()
    const failing = database.transact(async tx => {
      await queue.enqueue(tx, 'quick', { n: 1 })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await send(2)
    await until(() => done.length > 0)
    expect(done).toEqual([2])
  })

  test('starts at once, because its sending wakes a worker', async () => {
    await work()
    await send(0)
    await until(() => done.length === 1)
    const waits: number[] = []
    for (let n = 1; n <= 5; n += 1) {
      await send(n)
      waits.push(await until(() => done.length === n + 1))
    }
    expect(waits.sort((a, b) => a - b)[2]).toBeLessThan(600) // without being woken a worker looks every second
  })

  test('that this process does by itself is none: it is done when what owes it is committed, and otherwise not', async () => {
    await work()
    let here = 0
    queue.doHere('quick', () => {
      here += 1
    })
    const failing = database.transact(async tx => {
      await queue.enqueue(tx, 'quick', { n: 1 })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(here).toBe(0)
    await send(2)
    expect([here, done]).toEqual([1, []])
    expect(await database.read.query(`SELECT 1 FROM pgboss.job WHERE name = 'quick'`)).toEqual([])
  })

  test('whose wake-up got lost is found all the same, because workers look by themselves too', async () => {
    await work()
    await pause(300)
    await database.read.query(`INSERT INTO pgboss.job (name, data) VALUES ('quick', '{"n":7}')`)
    expect(await until(() => done.length === 1)).toBeLessThan(10_000)
  })

  test('that fails is tried again soon', async () => {
    let tries = 0
    await work(async () => {
      tries += 1
      if (tries === 1) throw new Error('once')
    })
    await send(1)
    expect(await until(() => done.length === 1)).toBeLessThan(20_000)
    expect(failures).toEqual(['quick'])
  })

  test('one worker goes through a backlog of fifty without a pause between any two', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, n) => send(n)))
    await work()
    expect(await until(() => done.length === 50)).toBeLessThan(20_000)
  })

  test('that is taken together with others fails alone', async () => {
    await Promise.all([0, 1, 2].map(send))
    let tries = 0
    await work(async ({ n }) => {
      if (n === 1 && tries++ === 0) throw new Error('once')
    })
    await until(() => done.length === 3, 20_000)
    expect([done, failures]).toEqual([expect.arrayContaining([0, 1, 2]), ['quick']])
    expect(done.at(-1)).toBe(1)
  })

  test('of a queue with several hands does not wait for another that takes long', async () => {
    const slow = Promise.withResolvers<void>()
    await work(({ n }) => (n === 0 ? slow.promise : Promise.resolve()), { lengthy: new Set(['quick']) })
    await send(0)
    await send(1)
    await until(() => done.includes(1))
    slow.resolve()
    await until(() => done.length === 2)
  })
})

describe('a job that always fails', () => {
  test('is told of once it has failed for the last time, stays where it can be looked at, and holds up nobody', async () => {
    await database.read.query(
      `UPDATE pgboss.queue SET retry_limit = 1, retry_delay = 1, retry_backoff = false WHERE name = 'doomed'`,
    )
    await database.transact(tx => queue.enqueue(tx, 'doomed', { requestId: 'r' }))
    await send(1)
    await work()
    await until(() => givenUp.length === 1, 20_000)
    expect([givenUp, failures, done]).toEqual([[{ name: 'doomed', data: { requestId: 'r' } }], ['doomed', 'doomed'], [1]])
    const [kept] = await database.read.query(`SELECT data FROM pgboss.job WHERE name = 'given-up'`)
    expect(kept.data).toEqual({ requestId: 'r' })
  })

  test('is told of later where that was not possible at once', async () => {
    await database.read.query(`UPDATE pgboss.queue SET retry_limit = 0 WHERE name = 'doomed'`)
    let tries = 0
    await work(undefined, {
      onGivenUp: async (name, data) => {
        tries += 1
        if (tries === 1) throw new Error('the database is away')
        givenUp.push({ name, data })
      },
    })
    await database.transact(tx => queue.enqueue(tx, 'doomed', { requestId: 'r' }))
    await until(() => givenUp.length === 1, 20_000)
  })
})

describe('stopping', () => {
  test('waits for the job at hand, which may still send others, and takes no further', async () => {
    const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await work(async () => {
      begun.resolve()
      await go.promise
      await database.transact(tx => queue.enqueue(tx, 'quick', { n: 2 }))
    })
    await send(1)
    await begun.promise
    const stopped = queue.stop()
    await pause(50)
    go.resolve()
    await stopped
    expect(done).toEqual([1])
    const states = await database.read.query(`SELECT state::text FROM pgboss.job WHERE name = 'quick' ORDER BY created_on`)
    expect(states).toEqual([{ state: 'completed' }, { state: 'created' }])
  })

  test('is quick when there is nothing to do', async () => {
    await work()
    const begun = Date.now()
    await queue.stop()
    expect(Date.now() - begun).toBeLessThan(5000)
  })
})
