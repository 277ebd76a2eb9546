import { connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { afterCommit, type Database, openDatabase, PreparingClient, write } from '../../src/platform/database.ts'
import { heldOpen } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { type Loopback, listen } from '../support/loopback.ts'

let own: TestDatabase
let database: Database | undefined
let errors: unknown[]

const open = async (more: Partial<Parameters<typeof openDatabase>[0]> = {}): Promise<Database> => {
  database = await openDatabase({ url: own.url, role: 'dsar_app', tables: [], onError: error => errors.push(error), ...more })
  return database
}

beforeEach(async () => {
  own = await createDatabase()
  errors = []
})
afterEach(async () => {
  await database?.close()
  await own.drop()
})

const forgetKeys = (tx: Database['read']) => tx.query(`DELETE FROM idempotency_key`)
const keys = async (read: Database['read']) =>
  (await read.query('SELECT key FROM idempotency_key')).map(({ key }: { key: string }) => key)
const note = (tx: Database['read'], key: string) =>
  tx.query(`INSERT INTO idempotency_key (scope, key, body_hash, answer) VALUES ('s', $1, '', '')`, [key])

describe('a transaction', () => {
  test.each(['40001', '40P01'])('that PostgreSQL asks to repeat (%s) is repeated, and leaves one effect', async code => {
    const { transact, read } = await open()
    let tries = 0
    await transact(async tx => {
      tries += 1
      await note(tx, 'once')
      if (tries < 3) await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '${code}'; END $$`)
    })
    expect([tries, await keys(read)]).toEqual([3, ['once']])
  })

  test('has what is to follow it done once, when others see what it wrote, and not at all where it failed', async () => {
    const { transact, read } = await open()
    const seen: Promise<string[]>[] = []
    let tries = 0
    await transact(async tx => {
      tries += 1
      await note(tx, 'once')
      afterCommit(tx, () => seen.push(keys(read)))
      if (tries < 3) await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$`)
      expect(seen).toEqual([])
    })
    const failing = transact(async tx => {
      afterCommit(tx, () => seen.push(keys(read)))
      await note(tx, 'once') // is there already
    })
    await expect(failing).rejects.toMatchObject({ code: '23505' })
    expect(await Promise.all(seen)).toEqual([['once']])
  })

  test('that goes on failing so is given up after the third time', async () => {
    const { transact } = await open()
    let tries = 0
    const failing = transact(async tx => {
      tries += 1
      await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`)
    })
    await expect(failing).rejects.toMatchObject({ code: '40001' })
    expect(tries).toBe(3)
  })

  test('has each statement with parameters and each query parsed once on its connection, and nothing else', async () => {
    // As many statements as are prepared at most may have been named in this process by now.
    const module = new URL('../../src/platform/database.ts?anew', import.meta.url).href
    const anew: typeof import('../../src/platform/database.ts') = await import(module)
    database = await anew.openDatabase({ url: own.url, tables: [] })
    const prepared = await database.transact(async tx => {
      for (const key of ['first', 'second']) await note(tx, key)
      await forgetKeys(tx)
      for (let times = 0; times < 2; times++) await tx.query('SELECT 42')
      return tx.query('SELECT statement FROM pg_prepared_statements ORDER BY prepare_time')
    })
    expect(prepared.map(({ statement }: { statement: string }) => statement.slice(0, 16)).slice(-3)).toEqual([
      'INSERT INTO idem',
      'SELECT 42',
      'SELECT statement',
    ])
  })

  test('does what it is asked in one breath in the order in which it was asked', async () => {
    const { transact, read } = await open()
    const turns = Array.from({ length: 20 }, (_, n) => Buffer.of(n))
    await transact(async tx => {
      const append = (turn: Buffer) => tx.query('UPDATE idempotency_key SET answer = answer || $1', [turn])
      await Promise.all([note(tx, 'a'), ...turns.map(append)])
    })
    expect(await read.query('SELECT answer FROM idempotency_key')).toEqual([{ answer: Buffer.concat(turns) }])
  })

  test('that fails otherwise is not repeated, and leaves nothing', async () => {
    const { transact, read } = await open()
    let tries = 0
    const failing = transact(async tx => {
      tries += 1
      await note(tx, 'never')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect([tries, await keys(read)]).toEqual([1, []])
  })
})

describe('what is written without waiting', () => {
  const INSERT = `INSERT INTO idempotency_key (scope, key, body_hash, answer) VALUES ('s', $1, '', '')`

  test('is there for what follows it, and after the end', async () => {
    const { transact, read } = await open()
    const seen = await transact(async tx => {
      for (const key of ['a', 'b']) await write(tx, INSERT, [key])
      const seen = await keys(tx)
      await write(tx, INSERT, ['c'])
      return seen
    })
    expect([seen, await keys(read)]).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ])
  })

  test('fails the transaction, with its own error, if it fails as the last', async () => {
    const { transact, read } = await open()
    const failing = transact(async tx => {
      await note(tx, 'same')
      await write(tx, INSERT, ['same'])
    })
    await expect(failing).rejects.toMatchObject({ code: '23505' })
    expect(await keys(read)).toEqual([])
  })

  test('fails the transaction with its own error if others follow, even where they are not heeded', async () => {
    const { transact, read } = await open()
    const failing = (heed: (error: unknown) => void) =>
      transact(async tx => {
        for (const key of ['same', 'same', 'other']) await write(tx, INSERT, [key])
        await keys(tx).catch(heed)
      })
    const rethrown = failing(error => {
      throw error
    })
    await expect(rethrown).rejects.toMatchObject({ code: '23505' })
    await expect(failing(() => {})).rejects.toMatchObject({ code: '23505' })
    expect(await keys(read)).toEqual([])
  })

  test('is repeated with its transaction when PostgreSQL asks for it', async () => {
    const { transact, read } = await open()
    let tries = 0
    await transact(async tx => {
      tries += 1
      await write(tx, INSERT, ['once'])
      if (tries < 3) await write(tx, `DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`, [])
    })
    expect([tries, await keys(read)]).toEqual([3, ['once']])
  })

  test('leaves the connection as good as before', async () => {
    const { transact, read } = await open({ poolSize: 1 })
    await expect(transact(tx => write(tx, 'SELECT no_such_column, $1::int', [1]))).rejects.toMatchObject({ code: '42703' })
    await transact(tx => write(tx, INSERT, ['after']))
    await write(read, INSERT, ['outside of any'])
    expect(await keys(read)).toEqual(['after', 'outside of any'])
  })
})

describe('a database that hangs', () => {
  test('on a lock is given up on, and answers the next', async () => {
    const other = await openDatabase({ url: own.url, tables: [] })
    const { read } = await open({ patienceSeconds: 1 })
    const holder = await heldOpen(other, tx => tx.query('LOCK TABLE idempotency_key IN ACCESS EXCLUSIVE MODE').then(() => 0))
    await expect(read.query('SELECT key FROM idempotency_key')).rejects.toMatchObject({ code: '57014' })
    await holder.commit()
    await other.close()
    expect(await keys(read)).toEqual([])
  })

  test('because a transaction was forgotten is freed of it', async () => {
    const { transact, read } = await open({ patienceSeconds: 1 })
    const forgotten = await heldOpen({ transact }, tx => forgetKeys(tx))
    await new Promise(resolve => setTimeout(resolve, 1300))
    await expect(forgotten.commit()).rejects.toThrow()
    expect(await keys(read)).toEqual([])
  })
})

describe('a connection', () => {
  test('whose backend is ended fails whoever uses it, and is replaced', async () => {
    database = await openDatabase({ url: own.url, tables: [], poolSize: 3 })
    const { transact, read } = database
    const suicide = transact(tx => tx.query('SELECT pg_terminate_backend(pg_backend_pid())'))
    await expect(suicide).rejects.toMatchObject({ code: '57P01' })
    for (let n = 0; n < 6; n += 1) expect(await read.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('that is ended while nobody listens to it, as it changes hands, ends nothing else', async () => {
    database = await openDatabase({ url: own.url, tables: [] })
    const client = new PreparingClient({ connectionString: own.url, application_name: 'handed over' })
    await client.connect()
    const gone = new Promise(resolve => client.once('end', resolve))
    await database.read.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'handed over'`)
    await gone
  })

  test('idle when its backend is ended is replaced without anybody noticing', async () => {
    const { read } = await open({ poolSize: 3 })
    await Promise.all([1, 2, 3].map(() => read.query('SELECT pg_sleep(0.05)')))
    const other = await openDatabase({ url: own.url, tables: [] })
    await other.read.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    await other.close()
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(await read.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(errors.length).toBeGreaterThan(0)
  })

  test('whose other end falls silent is ended, and the next one opened where somebody answers', async () => {
    const wall = await silentWall(own.url)
    const { read } = await open({ url: wall.databaseUrl, patienceSeconds: 1 })
    expect(await read.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    wall.fallSilent()
    await expect(read.query('SELECT 2')).rejects.toThrow('Connection terminated')
    wall.speakAgain()
    expect(await read.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    await database?.close()
    database = undefined
    await wall.close()
  })
})

/** Stands before PostgreSQL, and can stop passing anything on without closing a connection. */
async function silentWall(url: string): Promise<Loopback & { databaseUrl: string; fallSilent(): void; speakAgain(): void }> {
  let silent = false
  const behind = new Set<Socket>()
  const server = createServer(front => {
    const back = connect(Number(new URL(url).port), '127.0.0.1')
    behind.add(back)
    front.on('data', bytes => silent || back.write(bytes))
    back.on('data', bytes => silent || front.write(bytes))
    for (const [one, other] of [
      [front, back],
      [back, front],
    ] as const)
      one.on('error', () => {}).on('close', () => other.destroy())
  })
  const wall = await listen(server)
  const databaseUrl = new URL(url)
  databaseUrl.port = new URL(wall.url).port
  return {
    ...wall,
    databaseUrl: databaseUrl.href,
    fallSilent: () => {
      silent = true
    },
    speakAgain: () => {
      silent = false
    },
    async close() {
      for (const socket of behind) socket.destroy()
      await wall.close()
    },
  }
}
