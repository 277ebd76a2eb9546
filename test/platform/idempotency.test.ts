import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Database, openDatabase, type Tx } from '../../src/platform/database.ts'
import { type Deps, forgetKeys, KeyConflict, type KeyedCall, once } from '../../src/platform/idempotency.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let db: Database
let deps: Deps
beforeAll(async () => {
  database = await createDatabase()
  db = await openDatabase({ url: database.url, tables: [] })
  await db.read.query('CREATE TABLE effect (n int)')
  // seals by reversing, so that what lies in the table is neither clear nor bound to nothing
  deps = {
    transact: db.transact,
    vault: {
      sealJson: (value, context) => Buffer.from(`${context}\n${JSON.stringify(value)}`).reverse(),
      openJson: (sealed, context) => {
        const [bound, ...text] = Buffer.from(sealed).reverse().toString().split('\n')
        if (bound !== context) throw new Error('sealed for another place')
        return JSON.parse(text.join('\n'))
      },
    },
  }
})
afterAll(async () => {
  await db.close()
  await database.drop()
})
beforeEach(() => db.read.query('TRUNCATE effect, idempotency_key'))

const hash = (body: string) => createHash('sha256').update(body).digest('hex')
const call: KeyedCall = { scope: 'crm POST /v1/requests', key: 'k1', bodyHash: hash('a') }
const effects = async () => (await db.read.query<{ n: number }[]>('SELECT count(*)::int AS n FROM effect'))[0]?.n
const answer = { status: 201, headers: { location: '/v1/requests/1' }, body: { id: '1', name: 'Ana' } }

async function work(tx: Tx) {
  await tx.query('INSERT INTO effect VALUES (1)')
  return answer
}

describe('a call with a key', () => {
  test('has its effect once and gets its answer again', async () => {
    expect(await once(deps, call, work)).toEqual({ ...answer, replayed: false })
    expect(await once(deps, call, work)).toEqual({ ...answer, replayed: true })
    expect(await effects()).toBe(1)
  })

  test('is refused when the key was used to ask for something else', async () => {
    await once(deps, call, work)
    await expect(once(deps, { ...call, bodyHash: hash('b') }, work)).rejects.toEqual(new KeyConflict('key_reused'))
    expect(await effects()).toBe(1)
  })

  test('T23 has nothing to do with the same key of another caller or route', async () => {
    await once(deps, call, work)
    expect(await once(deps, { ...call, scope: 'billing POST /v1/requests' }, work)).toMatchObject({ replayed: false })
    expect(await effects()).toBe(2)
  })

  test('leaves nothing behind when its work fails, so that it can be tried again', async () => {
    const failing = async (tx: Tx) => {
      await work(tx)
      throw new Error('half way')
    }
    await expect(once(deps, call, failing)).rejects.toThrow('half way')
    expect(await effects()).toBe(0)
    expect(await once(deps, call, work)).toMatchObject({ replayed: false })
  })

  test('leaves nothing behind when its connection dies before the commit', async () => {
    const killed = async (tx: Tx) => {
      await work(tx)
      const [backend] = await tx.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid')
      await db.read.query('SELECT pg_terminate_backend($1)', [backend?.pid])
      return answer
    }
    await expect(once(deps, call, killed)).rejects.toThrow()
    expect(await effects()).toBe(0)
    expect(await once(deps, call, work)).toMatchObject({ replayed: false })
    expect(await effects()).toBe(1)
  })

  test('is turned away while the first is still at work, and gets its answer after it', async () => {
    let release = () => {}
    const held = new Promise<void>(done => {
      release = done
    })
    let entered = () => {}
    const inside = new Promise<void>(done => {
      entered = done
    })
    const first = once(deps, call, async tx => {
      entered()
      await held
      return work(tx)
    })
    await inside
    const others = await Promise.allSettled(Array.from({ length: 10 }, () => once(deps, call, work)))
    for (const other of others) expect(other).toEqual({ status: 'rejected', reason: new KeyConflict('in_progress') })
    release()
    expect(await first).toMatchObject({ replayed: false })
    expect(await once(deps, call, work)).toMatchObject({ replayed: true })
    expect(await effects()).toBe(1)
  })

  test('fifty times at once has its effect once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => once(deps, call, work)))
    const done = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(done.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(await effects()).toBe(1)
  })
})

test('the answer is kept sealed, bound to its key', async () => {
  await once(deps, call, work)
  const [row] = await db.read.query<{ answer: Buffer }[]>('SELECT answer FROM idempotency_key')
  expect(row?.answer.toString()).not.toContain('Ana')
  await db.read.query(`UPDATE idempotency_key SET key = 'k2'`)
  await expect(once(deps, { ...call, key: 'k2' }, work)).rejects.toThrow('sealed for another place')
})

test('a key that was forgotten makes a new call', async () => {
  await once(deps, call, work)
  await forgetKeys(db.read, new Date(Date.now() - 60_000))
  expect(await once(deps, call, work)).toMatchObject({ replayed: true })
  await forgetKeys(db.read, new Date(Date.now() + 60_000))
  expect(await once(deps, call, work)).toMatchObject({ replayed: false })
})
