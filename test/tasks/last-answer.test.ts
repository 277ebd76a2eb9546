import { generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Answer } from '../../src/adapters/answer.ts'
import type { Dataset } from '../../src/adapters/protocol.ts'
import { createRecorder } from '../../src/audit/record.ts'
import { type ConcludeDeps, concludeFulfilment } from '../../src/fulfilment/conclude-fulfilment.ts'
import { JOB_NAMES, type Jobs } from '../../src/pipeline.ts'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openQueue, type Queue } from '../../src/platform/queue.ts'
import { openVault } from '../../src/platform/vault.ts'
import { generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { getRequest, lockRequest } from '../../src/requests/apply-event.ts'
import { RequestTable } from '../../src/requests/requests.table.ts'
import { receiveAnswer } from '../../src/tasks/receive-answer.ts'
import { receivingTogether } from '../../src/tasks/receive-together.ts'
import type { SpooledPart } from '../../src/tasks/spool.ts'
import { getTask, type Task } from '../../src/tasks/tasks.store.ts'
import { casesIn, heldOpen, somebodyWaits } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const { privateKey } = generateKeyPairSync('ed25519')
const clock = { now: () => new Date() }
const dataset = (name: string): Dataset => ({
  name,
  title: name,
  category: 'account',
  origin: 'provided',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
  fields: [],
  sensitive: false,
  recipients: [],
  containsThirdParties: false,
})
const config = {
  baseUrl: 'http://127.0.0.1:1',
  title: 'One',
  identityTypes: ['user_id'],
  hashedTypes: [],
  datasets: [dataset('a'), dataset('b')],
  outOfScope: [],
}

let own: TestDatabase
let database: Database
let queue: Queue<Jobs>
let deps: Parameters<typeof receiveAnswer>[0] & ConcludeDeps
let cases: ReturnType<typeof casesIn>

const noVault = () => {
  throw new Error('No secrets here.')
}

beforeAll(async () => {
  own = await createDatabase()
  const role = 'dsar_app'
  database = await openDatabase({ url: own.url, role, tables: [RequestTable] })
  queue = await openQueue<Jobs>({ url: own.url, role, names: JOB_NAMES, onError: () => {} })
  cases = casesIn(database.read)
  deps = {
    ...database,
    clock,
    enqueue: queue.enqueue,
    record: createRecorder({ clock, sign: bytes => ({ keyId: 'k', signature: sign(null, bytes, privateKey) }) }),
    timeZone: 'UTC',
    random: () => 0.5,
    writeToEveryContact: async () => {},
    onAnswer: () => {},
    // The address where an adapter promised to answer is sealed, and nothing else here.
    vault: { ...openVault(generateVaultKeyFile()), open: noVault, blindIndex: noVault, sealJson: noVault, openJson: noVault },
    policy: { recipients: [] },
    policyVersion: '1',
  }
})
afterAll(async () => {
  await queue.stop()
  await database.close()
  await own.drop()
})

const running = async (requestId: string, action = 'collect', adapter?: string): Promise<Task> => {
  const id = await cases.task(requestId, adapter ?? (await cases.adapter()), { action, state: 'running', config })
  return (await getTask(database.read, id)) as Task
}
type Said = { name: string; outcome: 'completed' | 'no_data' | 'partially_completed' | 'failed' | 'retained'; count: number }
const brought = (...datasets: Said[]): Answer => ({ kind: 'collected', matched: [], datasets, files: 0 })
const WHOLE = brought({ name: 'a', outcome: 'completed', count: 2 }, { name: 'b', outcome: 'no_data', count: 0 })
const receive = (task: Task, answer: Answer) => database.transact(tx => receiveAnswer(deps, tx, task, answer, []))
const conclude = async (requestId: string) => {
  await concludeFulfilment(deps, requestId)
  return getRequest(database.read, requestId)
}
const jobsFor = async (requestId: string, name: string) =>
  (
    await database.read.query<unknown[]>(`SELECT 1 FROM pgboss.job WHERE name = $1 AND data ->> 'requestId' = $2`, [
      name,
      requestId,
    ])
  ).length

const contradictionsIn = async (requestId: string) =>
  (
    await database.read.query<unknown[]>(
      `SELECT 1 FROM audit_entry WHERE event = 'answer_contradicted' AND stream = 'request:' || $1`,
      [requestId],
    )
  ).length

describe('answers to one request that come while it is held', () => {
  /** Takes in, and says how many transactions that took. */
  function receiving() {
    let transactions = 0
    const transact: typeof database.transact = work => {
      transactions += 1
      return database.transact(work)
    }
    const receive = receivingTogether({ ...deps, transact })
    return { come: (task: Task, parts: SpooledPart[] = []) => receive({ task, answer: WHOLE, parts }), count: () => transactions }
  }
  const runningIn = (request: string, count: number) => Promise.all(Array.from({ length: count }, () => running(request)))

  test('wait together, and are taken in one after the other in one transaction', async () => {
    const [request, other] = [await cases.request(), await cases.request()]
    const tasks = await runningIn(request, 5)
    const { come, count } = receiving()
    const holder = await heldOpen(database, tx => lockRequest(tx, request))
    const first = come(tasks[0] as Task)
    await somebodyWaits(database.read)
    const others = Promise.all(tasks.slice(1).map(task => come(task)))
    expect(await come(await running(other))).toBe(true) // another request waits for none of this
    await holder.commit()
    expect([await first, await others]).toEqual([true, [true, true, true, true]])
    expect(count()).toBe(3) // the first, those that came after it, and the other request's
    expect(await jobsFor(request, 'conclude-fulfilment')).toBe(1)
  })

  test('stand and fall together: of what fails none was kept, and each can be taken in by itself', async () => {
    const request = await cases.request()
    const [good, bad] = (await runningIn(request, 2)) as [Task, Task]
    const { come } = receiving()
    const records = { dataset: 'a', kind: 'records' as const, number: 0, mediaType: 'application/json' }
    const unfit = { ...records, bytes: Number.NaN, sha256: '0', incompressible: false, inline: null, blobKey: 'a/0' } // no row holds such a size
    const ends = await Promise.allSettled([come(good), come(bad, [unfit])])
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect((await getTask(database.read, good.id))?.state).toBe('running')
    expect([await come(good), await jobsFor(request, 'conclude-fulfilment')]).toEqual([true, 0])
  })
})

test('answers of the same adapters to two requests do not wait for each other crosswise', async () => {
  const cut: Answer = { kind: 'later', code: 'connection', detail: 'The line was cut.' }
  const adapters = [await cases.adapter(), await cases.adapter()].sort()
  let tries = 0
  const receive = receivingTogether({
    ...deps,
    transact: work =>
      database.transact(tx => {
        tries += 1 // once more for each time that the database ends a deadlock
        return work(tx)
      }),
  })
  const runningAt = (request: string, order: readonly string[]) =>
    Promise.all(order.map(adapter => running(request, 'collect', adapter)))
  const [mine, yours] = [
    await runningAt(await cases.request(), adapters),
    await runningAt(await cases.request(), adapters.toReversed()),
  ]
  const comeIn = (tasks: Task[]) => Promise.all(tasks.map(task => receive({ task, answer: cut, parts: [] })))
  // Both take note of both adapters: while one waits for the lower id, the other must not hold the higher one.
  const holder = await heldOpen(database, tx => tx.query('SELECT FROM adapter WHERE id = $1 FOR UPDATE', [adapters[0]]))
  const first = comeIn(mine)
  await somebodyWaits(database.read, 1)
  const second = comeIn(yours)
  await somebodyWaits(database.read, 2)
  await holder.commit()
  await Promise.all([first, second])
  expect(tries).toBe(2)
})

test('a call that came to nothing for several tasks is held against the adapter once', async () => {
  const request = await cases.request()
  const adapter = await cases.adapter()
  const cut = { kind: 'later', code: 'connection', detail: 'The line was cut.' } as const
  await receive(await running(request, 'locate', adapter), cut)
  await receive(await running(request, 'collect', adapter), { ...cut, shared: true })
  const strikes = () => database.read.query('SELECT strikes FROM adapter WHERE id = $1', [adapter])
  expect(await strikes()).toEqual([{ strikes: 1 }])
  await receive(await running(await cases.request(), 'collect', adapter), cut)
  expect(await strikes()).toEqual([{ strikes: 2 }])
})

describe('two answers at once', () => {
  test('are taken one after the other, and the second knows that it is the last', async () => {
    const request = await cases.request()
    const [one, two] = [await running(request), await running(request)]
    const first = await heldOpen(database, tx => receiveAnswer(deps, tx, one, WHOLE, []))
    const second = receive(two, WHOLE)
    await somebodyWaits(database.read)
    expect(await jobsFor(request, 'conclude-fulfilment')).toBe(0)
    await first.commit()
    expect([first.result, await second]).toEqual([true, true])
    expect(await jobsFor(request, 'conclude-fulfilment')).toBe(1)
  })

  test('T76 of one task count once; the other is thrown away, and on the record where it says something else', async () => {
    const request = await cases.request()
    const task = await running(request)
    const first = await heldOpen(database, tx => receiveAnswer(deps, tx, task, WHOLE, []))
    const second = receive(
      task,
      brought({ name: 'a', outcome: 'no_data', count: 0 }, { name: 'b', outcome: 'no_data', count: 0 }),
    )
    await somebodyWaits(database.read)
    await first.commit()
    expect([first.result, await second]).toEqual([true, false])
    expect((await getTask(database.read, task.id))?.answer?.datasets[0]).toMatchObject({ name: 'a', count: 2 })
    expect(await contradictionsIn(request)).toBe(1)
  })

  test('T76 of one task, of which the later says the same, are no contradiction, also when the request is over by then', async () => {
    const request = await cases.request()
    const task = await running(request)
    expect(await receive(task, WHOLE)).toBe(true)
    const inOtherWords = brought({ name: 'b', outcome: 'no_data', count: 0 }, { name: 'a', outcome: 'completed', count: 2 })
    expect(await receive(task, inOtherWords)).toBe(false)
    expect(await contradictionsIn(request)).toBe(0)
    await conclude(request)
    expect(await receive(task, { kind: 'unknown' })).toBe(false)
    expect(await contradictionsIn(request)).toBe(1)
  })

  test('T76 of one task, and on and on: ten contradictions are enough for the record', async () => {
    const request = await cases.request()
    const task = await running(request)
    await receive(task, WHOLE)
    for (let n = 0; n < 13; n++) expect(await receive(task, { kind: 'unknown' })).toBe(false)
    expect(await contradictionsIn(request)).toBe(10)
  })

  test('and a withdrawal between them: the later answer is thrown away', async () => {
    const request = await cases.request()
    const task = await running(request)
    await database.read.query(`UPDATE dsar_request SET state = 'withdrawn', closed_at = now() WHERE id = $1`, [request])
    expect(await receive(task, WHOLE)).toBe(false)
    expect((await getTask(database.read, task.id))?.state).toBe('running')
  })

  test('conclude the request once, however often that is tried at once', async () => {
    const request = await cases.request()
    await receive(await running(request), WHOLE)
    await Promise.all([conclude(request), conclude(request), conclude(request)])
    const events = await database.read.query(
      `SELECT event FROM audit_entry WHERE event = 'fulfilment_completed' AND stream = 'request:' || $1`,
      [request],
    )
    expect([events.length, await jobsFor(request, 'build-package')]).toEqual([1, 1])
  })
})

test('what cannot be put on the record does not happen', async () => {
  const request = await cases.request()
  await receive(await running(request), WHOLE)
  const unrecorded = { ...deps, record: () => Promise.reject(new Error('the record is full')) }
  await expect(concludeFulfilment(unrecorded, request)).rejects.toThrow('the record is full')
  expect(await getRequest(database.read, request)).toMatchObject({ state: 'fulfilling', completeness: null, version: 1 })
  expect(await jobsFor(request, 'build-package')).toBe(0)
})

describe('whole', () => {
  test('is an answer that speaks of every dataset, and says all or nothing of it', async () => {
    const request = await cases.request()
    await receive(await running(request), WHOLE)
    expect(await conclude(request)).toMatchObject({
      state: 'packaging',
      completeness: { complete: true, adaptersAsked: 1, adaptersAnswered: 1, missing: [] },
    })
  })

  test.each([
    ['one that passes over a dataset', [{ name: 'a', outcome: 'completed', count: 2 }]],
    [
      'one that failed for a dataset',
      [
        { name: 'a', outcome: 'completed', count: 2 },
        { name: 'b', outcome: 'failed', count: 0 },
      ],
    ],
    [
      'one that brings a part',
      [
        { name: 'a', outcome: 'completed', count: 2 },
        { name: 'b', outcome: 'partially_completed', count: 9 },
      ],
    ],
    [
      'one that keeps something back',
      [
        { name: 'a', outcome: 'completed', count: 2 },
        { name: 'b', outcome: 'retained', count: 3 },
      ],
    ],
    ['one that brings nothing at all', []],
  ] as [string, Said[]][])('is not %s', async (_, datasets) => {
    const request = await cases.request()
    await receive(await running(request), brought(...datasets))
    const concluded = await conclude(request)
    expect(concluded?.completeness).toMatchObject({ complete: false, adaptersAsked: 1, adaptersAnswered: 1 })
    expect(concluded?.completeness?.missing).toContainEqual(expect.objectContaining({ dataset: 'b' }))
  })

  test('is nothing that nobody was asked for', async () => {
    expect((await conclude(await cases.request()))?.completeness).toMatchObject({ complete: false, adaptersAsked: 0 })
  })

  test.each(['failed', 'quarantined', 'ready', 'accepted', 'waiting'] as const)('waits for a task that is %s', async state => {
    const request = await cases.request()
    await receive(await running(request), WHOLE)
    await cases.task(request, await cases.adapter(), { state, config })
    expect((await conclude(request))?.state).toBe('fulfilling')
  })
})

describe('fewer records than were counted', () => {
  const countedThree = async () => {
    const request = await cases.request()
    const adapter = await cases.adapter()
    const locate = await running(request, 'locate', adapter)
    await receive(locate, {
      kind: 'result',
      matched: [],
      datasets: [
        { name: 'a', outcome: 'completed', count: 3 },
        { name: 'b', outcome: 'no_data' },
      ],
    })
    return { request, task: await running(request, 'collect', adapter) }
  }
  const again = async (task: Task): Promise<Task> => {
    await database.read.query(`UPDATE task SET state = 'running', attempt = attempt + 1 WHERE id = $1`, [task.id])
    return (await getTask(database.read, task.id)) as Task
  }

  test.each([
    ['an answer that is short', WHOLE],
    ['not knowing anybody any more', { kind: 'unknown' } as Answer],
  ])('%s is asked for twice more, then taken and flagged, and never called whole', async (_, answer) => {
    const { request, task } = await countedThree()
    expect(await receive(task, answer)).toBe(false)
    expect(await getTask(database.read, task.id)).toMatchObject({ state: 'ready', problem: { code: 'fewer_than_located' } })
    expect(await receive(await again(task), answer)).toBe(false)
    expect(await receive(await again(task), answer)).toBe(true)
    expect(await conclude(request)).toMatchObject({ flags: ['count_mismatch'], completeness: { complete: false } })
  })

  test('that turn up when asked again are whole after all', async () => {
    const { request, task } = await countedThree()
    await receive(task, WHOLE)
    await receive(
      await again(task),
      brought({ name: 'a', outcome: 'completed', count: 3 }, { name: 'b', outcome: 'no_data', count: 0 }),
    )
    expect(await conclude(request)).toMatchObject({ flags: [], completeness: { complete: true } })
  })
})

describe('a call back that came while the adapter was asked', () => {
  test('has it asked again at once, and once', async () => {
    const request = await cases.request()
    const task = await running(request)
    await database.read.query(
      `INSERT INTO callback_seen (task_id, webhook_id, body_hash, attempt, at) VALUES ($1, 'm', '', 1, now())`,
      [task.id],
    )
    const accepted: Answer = { kind: 'accepted', location: 'http://127.0.0.1:1/t', retryAfterSeconds: 600 }
    const secondsToWait = async () =>
      (await database.read.query(`SELECT extract(epoch FROM run_at - now())::int AS s FROM task WHERE id = $1`, [task.id]))[0].s
    await receive(task, accepted)
    expect(await secondsToWait()).toBeLessThanOrEqual(0)
    await database.read.query(`UPDATE task SET state = 'running', attempt = 2 WHERE id = $1`, [task.id])
    await receive((await getTask(database.read, task.id)) as Task, accepted)
    expect(await secondsToWait()).toBeGreaterThan(590)
  })
})
