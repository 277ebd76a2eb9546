import { randomUUIDv7 } from 'node:crypto'
import { holdAdapters } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { dayIn } from '../domain/day.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import { type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { configOf } from './scope.ts'
import { insertTasks, type NewTask, type Task, tasksOf } from './tasks.store.ts'

export interface LookDeps extends CaseDeps {
  transact: Transact
  read: Tx
  /** Of the controller. */
  timeZone: string
}

const BY = system('fulfilment')
const DAY_MS = 86_400_000

/**
 * What an answered erasure still owes: looks again, days later, whether the data stayed away (a backup may have been restored, an
 * import repeated), and erases what the law had kept once its day has come. Each is started once.
 */
export async function lookAgain(deps: LookDeps): Promise<void> {
  const now = deps.clock.now()
  const rescans = await deps.read.query<{ requestId: string; round: number }[]>(
    `SELECT s.request_id AS "requestId", s.round FROM rescan s JOIN dsar_request r ON r.id = s.request_id
     WHERE s.started_at IS NULL AND s.due_at <= $1 AND r.state = 'completed' ORDER BY s.due_at LIMIT 1000`,
    [now],
  )
  const today = dayIn(now, deps.timeZone)
  const ripe = await deps.read.query<{ requestId: string }[]>(
    `SELECT DISTINCT l.request_id AS "requestId" FROM leftover l JOIN dsar_request r ON r.id = l.request_id
     WHERE l.round IS NULL AND l.until < $1 AND r.state = 'completed' LIMIT 1000`,
    [today],
  )
  await eachInTurn(
    [
      ...rescans.map(
        ({ requestId, round }) =>
          () =>
            deps.transact(tx => startRescan(deps, tx, requestId, round)),
      ),
      ...ripe.map(
        ({ requestId }) =>
          () =>
            deps.transact(tx => eraseLeftovers(deps, tx, requestId, today)),
      ),
    ],
    start => start(),
  )
}

async function startRescan(deps: LookDeps, tx: Tx, requestId: string, round: number): Promise<void> {
  await lockRequest(tx, requestId)
  const [, started] = await tx.query<[unknown[], number]>(
    'UPDATE rescan SET started_at = $3 WHERE request_id = $1 AND round = $2 AND started_at IS NULL',
    [requestId, round, deps.clock.now()],
  )
  if (started === 0) return
  const looked = (await tasksOf(tx, requestId, 'confirm_erased')).filter(task => task.round === 0 && task.asked)
  const tasks = await asRegisteredNow(tx, looked, task => [{ action: 'confirm_erased', datasets: task.config.datasets }])
  await ask(deps, tx, requestId, round, tasks)
  await deps.record(tx, requestStream(requestId), BY, 'looked_again', { round, adapters: tasks.map(({ adapter }) => adapter) })
}

async function eraseLeftovers(deps: LookDeps, tx: Tx, requestId: string, today: string): Promise<void> {
  await lockRequest(tx, requestId)
  const [{ round }] = await tx.query<[{ round: number }]>(
    'SELECT max(round) + 1 AS round FROM (SELECT round FROM task WHERE request_id = $1 UNION ALL SELECT round FROM rescan WHERE request_id = $1) x',
    [requestId],
  )
  const [ripe] = await tx.query<[{ adapterId: string; dataset: string }[], number]>(
    `UPDATE leftover SET round = $3 WHERE request_id = $1 AND round IS NULL AND until < $2 RETURNING adapter_id AS "adapterId", dataset`,
    [requestId, today, round],
  )
  if (ripe.length === 0) return
  const isRipe = (task: Task, name: string) => ripe.some(one => one.adapterId === task.adapterId && one.dataset === name)
  const erased = (await tasksOf(tx, requestId, 'erase')).filter(task => task.round === 0)
  const tasks = await asRegisteredNow(tx, erased, task => {
    const datasets = task.config.datasets.filter(({ name }) => isRipe(task, name))
    return datasets.length === 0
      ? []
      : [
          { action: 'erase', datasets },
          { action: 'confirm_erased', datasets },
        ]
  })
  await ask(deps, tx, requestId, round, tasks)
  await deps.record(tx, requestStream(requestId), BY, 'leftovers_due', { round, datasets: ripe.map(({ dataset }) => dataset) })
}

interface Step {
  action: Task['action']
  datasets: Task['config']['datasets']
}

/** Tasks as those of the first round, each waiting for the one before it, put to their adapters as these are by now. */
async function asRegisteredNow(tx: Tx, first: readonly Task[], stepsOf: (task: Task) => Step[]): Promise<NewTask[]> {
  const adapters = new Map((await holdAdapters(tx)).map(adapter => [adapter.id, adapter]))
  return first.flatMap(task => {
    const { adapterId, adapter: name } = task
    const adapter = adapters.get(adapterId)
    const steps = stepsOf(task)
    const ids = steps.map(() => randomUUIDv7())
    return steps.map(({ action, datasets }, i) => ({
      id: ids[i] as string,
      adapterId,
      adapter: name,
      action,
      config: adapter ? configOf(adapter, datasets) : { ...task.config, datasets },
      after: ids.slice(Math.max(0, i - 1), i),
      ...(!adapter && { problem: { code: 'adapter_removed', detail: 'The adapter is registered no more: look by hand.' } }),
    }))
  })
}

async function ask(deps: LookDeps, tx: Tx, requestId: string, round: number, tasks: readonly NewTask[]): Promise<void> {
  const now = deps.clock.now()
  await insertTasks(tx, { requestId, round, dueAt: new Date(now.getTime() + 7 * DAY_MS), now }, tasks)
  await deps.enqueue(tx, tasks.length > 0 ? 'dispatch-tasks' : 'conclude-round', tasks.length > 0 ? {} : { requestId })
}

/** Writes down what a later round came to, once none of its tasks is under way. What came back is for people to see. */
export async function concludeRound(deps: LookDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    await lockRequest(tx, requestId)
    const tasks = (await tasksOf(tx, requestId)).filter(({ round }) => round > 0)
    for (const round of new Set(tasks.map(task => task.round))) await concludeOne(deps, tx, requestId, round, tasks)
  })
}

const OVER = new Set(['done', 'failed', 'quarantined', 'cancelled'])

async function concludeOne(deps: LookDeps, tx: Tx, requestId: string, round: number, all: readonly Task[]): Promise<void> {
  const tasks = all.filter(task => task.round === round)
  if (!tasks.every(({ state }) => OVER.has(state))) return
  const now = deps.clock.now()
  const back = tasks.filter(({ state }) => state !== 'done').map(({ adapter }) => adapter)
  const [, looked] = await tx.query<[unknown[], number]>(
    'UPDATE rescan SET concluded_at = $3, found = $4 WHERE request_id = $1 AND round = $2 AND concluded_at IS NULL',
    [requestId, round, now, back.length],
  )
  const [, erased] =
    back.length > 0
      ? [[], 0]
      : await tx.query<[unknown[], number]>(
          'UPDATE leftover SET erased_at = $3 WHERE request_id = $1 AND round = $2 AND erased_at IS NULL',
          [requestId, round, now],
        )
  if (looked + erased === 0) return
  const event = back.length > 0 ? 'erasure_not_confirmed' : erased > 0 ? 'leftovers_erased' : 'erasure_confirmed_again'
  await deps.record(tx, requestStream(requestId), BY, event, { round, ...(back.length > 0 && { adapters: back }) })
  if (back.length > 0) await setFlag(deps, tx, requestId, 'unconfirmed_erasure', true, BY)
}
