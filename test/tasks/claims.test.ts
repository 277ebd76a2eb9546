import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { Trouble } from '../../src/adapters/answer.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { noteWhetherUp } from '../../src/tasks/breaker.store.ts'
import { claim, giveBack, keepLease, shareOf } from '../../src/tasks/claims.store.ts'
import { restart } from '../../src/tasks/reopened-tasks.store.ts'
import { insertTasks, settle, type Task } from '../../src/tasks/tasks.store.ts'
import { CONFIG, casesIn, heldOpen } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

let own: TestDatabase
let database: Database
let cases: ReturnType<typeof casesIn>

beforeEach(async () => {
  own = await createDatabase()
  database = await openDatabase({ url: own.url, role: 'dsar_app', tables: [] })
  cases = casesIn(database.read)
})
afterEach(async () => {
  await database.close()
  await own.drop()
})

const idle = (slots = 50) => ({ slots, held: new Map<string, number>() })
const look = (capacity = idle()): Promise<Task[]> => database.transact(tx => claim(tx, capacity, new Date()))
const ids = (tasks: Task[]) => tasks.map(({ id }) => id)
const sql = (text: string, values: unknown[] = []) => database.read.query(text, values)
const giveAll = async (tasks: Task[]) => {
  expect(tasks.length).toBeGreaterThan(0)
  for (const task of tasks) await giveBack(database.read, task)
}
const finish = (tasks: Task[]) => Promise.all(tasks.map(task => settle(database.read, task, { state: 'done' }, new Date())))

describe('what an adapter bears', () => {
  test('at once holds over two workers, whoever comes second and however soon', async () => {
    const adapter = await cases.adapter({ concurrency: 2 })
    await cases.backlog(adapter, 5)
    const first = await heldOpen(database, tx => claim(tx, idle(), new Date()))
    expect(first.result).toHaveLength(2)
    expect(await look()).toEqual([]) // while the first still counts, at once and not after it
    await first.commit()
    expect(await look()).toEqual([])
    await finish(first.result.slice(0, 1))
    expect(await look()).toHaveLength(1)
  })

  test('a minute is borne in every minute, however idle it was before', async () => {
    const adapter = await cases.adapter({ perMinute: 30 })
    await cases.backlog(adapter, 120)
    const started: number[] = []
    for (let second = 0; second < 90; second += 1) {
      const tasks = await look(idle(200))
      started.push(tasks.length)
      await finish(tasks)
      await sql(`UPDATE adapter SET allowance_at = allowance_at - interval '1 second'`)
    }
    const inMinuteFrom = (at: number) => started.slice(at, at + 60).reduce((sum, n) => sum + n, 0)
    const minutes = started.slice(0, 30).map((_, at) => inMinuteFrom(at))
    expect(Math.max(...minutes)).toBeLessThanOrEqual(30)
    expect(Math.min(...minutes)).toBeGreaterThanOrEqual(26)
  })

  test('a minute holds over two workers', async () => {
    const adapter = await cases.adapter({ perMinute: 40 })
    await cases.backlog(adapter, 10)
    const first = await heldOpen(database, tx => claim(tx, idle(), new Date()))
    expect(first.result).toHaveLength(4)
    expect(await look()).toEqual([])
    await first.commit()
    expect(await look()).toEqual([])
  })

  test('does not keep others from making tasks for it meanwhile', async () => {
    const adapter = await cases.adapter()
    const [request, other] = [await cases.request(), await cases.request()]
    await cases.task(request, adapter)
    const claiming = await heldOpen(database, tx => claim(tx, idle(), new Date()))
    await cases.task(other, adapter)
    const making = await heldOpen(database, tx => casesIn(tx).task(request, adapter, { action: 'locate' }))
    await claiming.commit()
    expect(await look()).toHaveLength(1) // and making one does not keep others from asking it
    await making.commit()
  })
})

describe('between adapters', () => {
  test('none holds more slots than it leaves free, so the next finds room', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (free, held) => {
        const share = shareOf(free, held)
        expect(share).toBeGreaterThanOrEqual(free > 0 && held === 0 ? 1 : 0)
        expect(share).toBeLessThanOrEqual(free)
        if (held + share > 1) expect(share === 0 || held + share <= free - share).toBe(true)
      }),
    )
  })

  test('a backlog leaves room for whoever comes later', async () => {
    const [hog, late] = [await cases.adapter(), await cases.adapter()]
    await cases.backlog(hog, 40)
    const held = new Map([[hog, (await look(idle(16))).length]])
    expect(held.get(hog)).toBe(8)
    expect(await look({ slots: 16, held })).toEqual([])
    const [wanted] = await cases.backlog(late, 1)
    expect(ids(await look({ slots: 16, held }))).toEqual([wanted])
  })

  test('many with little to do fill every slot at one look, and the others are the first at the next', async () => {
    const wanted: (string | undefined)[] = []
    for (let n = 0; n < 12; n += 1) wanted.push(...(await cases.backlog(await cases.adapter(), 1)))
    const first = await look(idle(8))
    expect(first).toHaveLength(8)
    expect(new Set([...ids(first), ...ids(await look(idle(8)))])).toEqual(new Set(wanted))
  })

  test('one slot goes round', async () => {
    const [one, two] = [await cases.adapter(), await cases.adapter()]
    await cases.backlog(one, 3)
    await cases.backlog(two, 3)
    const turns: string[] = []
    for (let turn = 0; turn < 6; turn += 1) {
      const tasks = await look(idle(1))
      turns.push(...tasks.map(({ adapterId }) => adapterId))
      await finish(tasks)
    }
    expect(turns).toHaveLength(6)
    for (let turn = 1; turn < 6; turn += 1) expect(turns[turn]).not.toBe(turns[turn - 1])
  })

  test('what is due first is asked first', async () => {
    const adapter = await cases.adapter()
    const due = async (dueAt: string) => cases.task(await cases.request(), adapter, { dueAt })
    const [may, march, april] = [await due('2031-05-01'), await due('2031-03-01'), await due('2031-04-01')]
    const order: string[] = []
    for (let n = 0; n < 3; n += 1) order.push(...ids(await look(idle(1))))
    expect(order).toEqual([march, april, may])
  })

  test('a suspended one is not asked, and its tasks wait', async () => {
    const adapter = await cases.adapter({ state: 'suspended' })
    const [task] = await cases.backlog(adapter, 1)
    expect(await look()).toEqual([])
    await sql(`UPDATE adapter SET state = 'live'`)
    expect(ids(await look())).toEqual([task])
  })
})

describe('a backlog of thousands', () => {
  const FLOOD = 3000
  const rowsRead = async (tx: Pick<Database['read'], 'query'>): Promise<number> => {
    const [row] = await tx.query<[{ rows: number }]>(
      `SELECT idx_tup_fetch + seq_tup_read AS rows FROM pg_stat_xact_user_tables WHERE relname = 'task'`,
    )
    return row.rows
  }
  /** A look, and how many rows of tasks it read; each row is read once to be found and once more to be changed. */
  const counted = async () => {
    await asOwner('VACUUM ANALYZE') // as the database does by itself
    return database.transact(async tx => {
      const before = await rowsRead(tx)
      const tasks = await claim(tx, idle(16), new Date())
      return { tasks, rows: (await rowsRead(tx)) - before }
    })
  }
  const asOwner = async (text: string) => {
    const owner = await openDatabase({ url: own.url, tables: [] })
    await owner.read.query(text).finally(owner.close)
  }

  test('is not read to take a few of it', async () => {
    await cases.flood(await cases.adapter(), FLOOD)
    const { tasks, rows } = await counted()
    expect(tasks).toHaveLength(8)
    expect(rows).toBeLessThan(8 * 4)
  })

  test('that was promised for later is not read to find what may start', async () => {
    const adapter = await cases.adapter()
    await cases.flood(adapter, FLOOD, 'accepted')
    const [wanted] = await cases.backlog(adapter, 1)
    const { tasks, rows } = await counted()
    expect(ids(tasks)).toEqual([wanted])
    expect(rows).toBeLessThan(20)
  })

  test('of one adapter leaves others their turn at once, and what is due earlier goes before it', async () => {
    const [flooded, other] = [await cases.adapter(), await cases.adapter()]
    await cases.flood(flooded, FLOOD)
    const elsewhere = await cases.task(await cases.request(), other)
    const urgent = await cases.task(await cases.request(), flooded, { dueAt: '2035-12-31' })
    const tasks = ids(await look(idle(16)))
    expect(tasks).toContain(elsewhere)
    expect(tasks).toContain(urgent)
  })
})

describe('what is due at the same time', () => {
  /** Opens requests one after the other, each with a task as the service makes it. @returns who opened them, in the order of claims */
  async function orderOf(openers: readonly string[], dueAt: (n: number) => Date = () => new Date('2036-01-01')) {
    const adapter = await cases.adapter({ concurrency: 1 })
    const by = new Map<string, string>()
    for (const [n, openedBy] of openers.entries()) {
      const [id, requestId] = [randomUUIDv7(), await cases.request({ openedBy })]
      await sleep(2) // ids of one millisecond are in no order
      by.set(id, openedBy)
      const task = { id, adapterId: adapter, adapter: 'any', action: 'collect' as const, config: CONFIG }
      await insertTasks(database.read, { requestId, round: 0, dueAt: dueAt(n), now: new Date() }, [task])
    }
    const order: string[] = []
    for (let tasks = await look(); tasks.length > 0; tasks = await look()) {
      await finish(tasks)
      order.push(...ids(tasks).map(id => by.get(id) ?? ''))
    }
    await sql('UPDATE dsar_request SET closed_at = now()')
    return order
  }

  test('goes by turns among those who opened it: a flood of one keeps nobody waiting', async () => {
    expect(await orderOf([...Array(12).fill('crm'), 'ana', 'ben'])).toEqual(['crm', 'ana', 'ben', ...Array(11).fill('crm')])
  })

  test('comes after all that is due earlier, whoever opened that', async () => {
    const days = (n: number) => new Date(n < 3 ? '2035-12-31' : '2036-01-01')
    expect(await orderOf([...Array(5).fill('crm'), 'ana'], days)).toEqual(['crm', 'crm', 'crm', 'ana', 'crm', 'crm'])
  })

  test('gives nobody a second turn before everybody had a first, whatever was opened in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 }), async openers => {
        const order = await orderOf(openers)
        expect(order.toSorted()).toEqual(openers.toSorted())
        const turns = order.map((opener, n) => order.slice(0, n).filter(one => one === opener).length)
        expect(turns).toEqual(turns.toSorted((one, other) => one - other))
      }),
      { numRuns: 15 },
    )
  })
})

describe('an adapter that is out of order', () => {
  const note = (adapter: string, trouble?: Trouble) => noteWhetherUp(database.read, adapter, trouble)
  const strike = async (adapter: string, times: number, trouble: Trouble = 'timeout') => {
    for (let n = 0; n < times; n += 1) await note(adapter, trouble)
  }
  const rested = (adapter: string) => sql(`UPDATE adapter SET resting_until = now() WHERE id = $1`, [adapter])
  const restOf = async (adapter: string): Promise<number> =>
    Math.round(
      (await sql(`SELECT extract(epoch FROM resting_until - now())::float AS rest FROM adapter WHERE id = $1`, [adapter]))[0]
        .rest,
    )

  test.each(['connection', 'timeout', 'cut', 'server_error'] as const)(
    'T69 five times in a row (%s) is left in peace',
    async trouble => {
      const adapter = await cases.adapter()
      await cases.backlog(adapter, 3)
      await strike(adapter, 4, trouble)
      await giveAll(await look())
      await strike(adapter, 1, trouble)
      expect(await look()).toEqual([])
    },
  )

  test('is tried with one call at a time by the whole fleet, and with more as soon as one is answered', async () => {
    const adapter = await cases.adapter()
    await cases.backlog(adapter, 5)
    await strike(adapter, 5)
    await rested(adapter)
    const first = await heldOpen(database, tx => claim(tx, idle(), new Date()))
    expect(first.result).toHaveLength(1)
    await first.commit()
    expect(await look()).toEqual([])
    await note(adapter)
    expect(await look()).toHaveLength(4)
  })

  test('rests longer each time it was tried in vain, and ten minutes at most', async () => {
    const adapter = await cases.adapter()
    await strike(adapter, 5)
    const rests: number[] = [await restOf(adapter)]
    for (let n = 0; n < 8; n += 1) {
      await strike(adapter, 1)
      rests.push(await restOf(adapter))
    }
    for (const [n, rest] of rests.entries()) {
      const middle = Math.min(600, 15 * 2 ** n)
      expect(rest).toBeGreaterThanOrEqual(Math.floor(middle * 0.75) - 1)
      expect(rest).toBeLessThanOrEqual(Math.ceil(middle * 1.25))
    }
  })

  test.each([
    ['it answered in between', [undefined]],
    ['it said that it is busy', ['busy']],
    ['it refused one task', ['refused']],
  ] as const)('is not where %s', async (_, between) => {
    const adapter = await cases.adapter()
    await cases.backlog(adapter, 1)
    await strike(adapter, 4)
    for (const trouble of between) await note(adapter, trouble)
    await strike(adapter, 4)
    expect(await look()).toHaveLength(1)
  })

  test.each(['own_trouble', 'worker_lost', 'aborted', 'no_identity'] as const)(
    'is not by what is our own (%s), which excuses nothing either',
    async trouble => {
      const adapter = await cases.adapter()
      await cases.backlog(adapter, 1)
      await strike(adapter, 9, trouble)
      await giveAll(await look())
      await strike(adapter, 4)
      await strike(adapter, 1, trouble)
      await strike(adapter, 1)
      expect(await look()).toEqual([])
    },
  )
})

describe('the last gate', () => {
  const claimable = async (action: string, request: Parameters<typeof cases.request>[0]) => {
    await cases.task(await cases.request(request), await cases.adapter(), { action })
    return (await look()).length === 1
  }
  test.each([
    ['a level that no proof stands for', { assurance: 2, needed: 2, proof: null }],
    ['a proof weaker than the level that was noted', { assurance: 2, needed: 2, proof: 1 }],
    ['a level below the one needed', { assurance: 1, needed: 2, proof: 2 }],
    ['a request that is still being verified', { state: 'verifying' }],
    ['a request that has ended', { state: 'withdrawn' }],
  ])('gives no content for %s', async (_, request) => {
    expect([await claimable('locate', request), await claimable('collect', request)]).toEqual([false, false])
  })

  test('gives content for what was proven', async () => {
    expect(await claimable('collect', { assurance: 2, needed: 2, proof: 2 })).toBe(true)
  })

  test('asks who somebody is only while that is the question', async () => {
    expect(await claimable('resolve', { state: 'verifying', assurance: 0, proof: null })).toBe(true)
    expect(await claimable('resolve', { state: 'fulfilling' })).toBe(false)
  })
})

describe('a worker that falls silent', () => {
  const silence = () =>
    sql(`UPDATE task SET run_at = now() - interval '1 s', lease_until = now() - interval '1 s' WHERE state = 'running'`)
  const failedWith = (code: string) => ({ state: 'failed' as const, problem: { code, detail: 'In vain.' } })
  const claimOne = async (): Promise<Task> => {
    await cases.backlog(await cases.adapter({ concurrency: 1 }), 1)
    const [task] = await look()
    return task as Task
  }

  test('loses its task to another, and its late answer finds nobody', async () => {
    const lost = await claimOne()
    expect(await look()).toEqual([])
    await silence()
    const [taken] = (await look()) as [Task]
    expect([taken.id, taken.attempt, taken.lost]).toEqual([lost.id, lost.attempt + 1, 1])

    expect(await keepLease(database.read, lost)).toBe(false)
    expect(await settle(database.read, lost, { state: 'done' }, new Date())).toBe(false)
    await giveBack(database.read, lost)
    expect(await keepLease(database.read, taken)).toBe(true)
    expect(await settle(database.read, taken, { state: 'done' }, new Date())).toBe(true)
  })

  test('is counted until somebody comes to an end with it', async () => {
    let task = await claimOne()
    for (const lost of [1, 2]) {
      await silence()
      task = (await look())[0] as Task
      expect(task.lost).toBe(lost)
    }
    await settle(database.read, task, { state: 'ready', failures: 1 }, new Date())
    expect((await look())[0]).toMatchObject({ lost: 0, failures: 1 })
  })

  test('keeps it by saying so in time', async () => {
    const task = await claimOne()
    await sql(`UPDATE task SET run_at = now() + interval '1 s', lease_until = now() + interval '1 s'`)
    expect(await keepLease(database.read, task)).toBe(true)
    const [row] = await sql(`SELECT lease_until > now() + interval '10 s' AS kept, run_at = lease_until AS same FROM task`)
    expect(row).toEqual({ kept: true, same: true })
  })

  test('does not keep it once the request has ended', async () => {
    const task = await claimOne()
    await sql(`UPDATE dsar_request SET state = 'withdrawn', closed_at = now()`)
    expect(await keepLease(database.read, task)).toBe(false)
  })

  test('gives it back when it knows that it stops, at once and uncounted', async () => {
    const task = await claimOne()
    await giveBack(database.read, task)
    expect((await look())[0]).toMatchObject({ id: task.id, attempt: task.attempt + 1, lost: 0 })
  })

  test('keeps its key with the adapter over every try, and gets another when a person has it asked anew', async () => {
    const task = await claimOne()
    await silence()
    const [taken] = (await look()) as [Task]
    expect(taken.key).toBe(task.key)
    await settle(database.read, taken, failedWith('refused'), new Date())
    await restart(database.read, task, task.config)
    const [anew] = (await look()) as [Task]
    expect(anew.key).not.toBe(task.key)
  })

  const claimChange = async (): Promise<Task> => {
    await cases.task(await cases.request(), await cases.adapter({ concurrency: 1 }), { action: 'restrict' })
    const [task] = await look()
    return task as Task
  }
  test.each<[string, 'the same' | 'another', (task: Task) => Promise<unknown>]>([
    ['is being asked', 'the same', async () => {}],
    [
      'was asked in vain',
      'the same',
      task => settle(database.read, task, { ...failedWith('timeout'), state: 'ready' }, new Date()),
    ],
    ['cost workers their lives', 'the same', task => settle(database.read, task, failedWith('worker_lost'), new Date())],
    ['was refused', 'another', task => settle(database.read, task, failedWith('refused'), new Date())],
    [
      'brought too little',
      'another',
      task => settle(database.read, task, { ...failedWith('fewer_than_located'), state: 'ready' }, new Date()),
    ],
    [
      'was promised',
      'another',
      task => settle(database.read, task, { state: 'accepted', locationSealed: Buffer.of(1) }, new Date()),
    ],
    [
      'was quarantined',
      'another',
      task => settle(database.read, task, { ...failedWith('quarantined'), state: 'quarantined' }, new Date()),
    ],
  ])('a change that %s goes under %s key when a person has it asked now', async (_, key, happens) => {
    const task = await claimChange()
    await happens(task)
    await restart(database.read, task, task.config)
    const [anew] = (await look()) as [Task]
    expect(anew.key === task.key ? 'the same' : 'another').toBe(key)
  })

  test('a look that is being answered goes under another key when a person has it asked now', async () => {
    const task = await claimOne()
    await restart(database.read, task, task.config)
    expect((await look())[0]?.key).not.toBe(task.key)
  })

  test('a change goes under another key when it is another by now', async () => {
    const task = await claimChange()
    await restart(database.read, task, { ...task.config, title: 'Anew', datasets: [] })
    expect((await look())[0]?.key).not.toBe(task.key)
  })
})

describe('a legal hold', () => {
  const PERSON = Buffer.from('person')
  const FOREVER = 'infinity'

  /** An erasure about to be asked of an adapter, of a person who is known. */
  async function erasure(): Promise<string> {
    const request = await cases.request()
    await sql(
      `INSERT INTO request_identity (request_id, type, value_index, value_sealed, provenance) VALUES ($1, 'email', $2, '', 'resolved')`,
      [request, PERSON],
    )
    return cases.task(request, await cases.adapter(), { action: 'erase' })
  }
  async function hold(tx: Pick<Database['read'], 'query'>, until: string): Promise<void> {
    const [{ id }] = await tx.query<[{ id: string }]>(
      `INSERT INTO legal_hold (id, reason, reference_sealed, proposed_by, proposed_at, approved_by, approved_at, holds_until)
       VALUES (gen_random_uuid(), 'litigation', '', 'x|1', now(), 'x|2', now(), $1) RETURNING id`,
      [until],
    )
    await tx.query(`INSERT INTO legal_hold_identity (hold_id, type, value_index) VALUES ($1, 'email', $2)`, [id, PERSON])
  }

  test('that comes after the erasure was approved stops it at the last gate, for as long as it holds', async () => {
    const task = await erasure()
    await hold(database.read, FOREVER)
    expect(await look()).toEqual([])
    await sql(`UPDATE legal_hold SET release_reason = 'matter_ended', release_proposed_by = 'x|1', released_by = 'x|2',
      released_at = now() - interval '1 second', holds_until = now() - interval '1 second'`)
    expect(ids(await look())).toEqual([task])
  })

  test('that is not committed yet comes too late for what is claimed meanwhile', async () => {
    const task = await erasure()
    const proposal = await heldOpen(database, tx => hold(tx, FOREVER))
    expect(ids(await look())).toEqual([task])
    await proposal.commit()
  })

  test('does not keep anybody from finding out or copying, nor others from being erased', async () => {
    await hold(database.read, FOREVER)
    const held = await erasure()
    const adapter = await cases.adapter()
    const [{ request_id: request }] = await sql('SELECT request_id FROM task WHERE id = $1', [held])
    const tasks = [
      await cases.task(request, adapter, { action: 'locate' }),
      await cases.task(request, adapter, { action: 'collect' }),
      await cases.task(await cases.request(), adapter, { action: 'erase' }),
    ]
    expect(ids(await look()).sort()).toEqual(tasks.sort())
  })
})
