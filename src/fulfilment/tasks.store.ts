import { randomUUIDv7 } from 'node:crypto'
import type { Dataset } from '../adapters/protocol.ts'
import type { Action } from '../pipeline.ts'
import type { Tx } from '../platform/database.ts'

export const TASK_STATES = ['waiting', 'ready', 'running', 'accepted', 'done', 'failed', 'quarantined', 'cancelled'] as const
export type TaskState = (typeof TASK_STATES)[number]

/** What the adapter was when the task was made: a change of it does not reach into a request half done. */
export interface TaskConfig {
  baseUrl: string
  title: string
  identityTypes: string[]
  /** What it is asked about. */
  datasets: Dataset[]
  /** What else it holds, and this request is not about. */
  outOfScope: Dataset[]
}

/** What an adapter said of one dataset. */
export interface DatasetAnswer {
  name: string
  outcome: string
  count: number
  reason?: string
  statute?: string
  until?: string
}

export interface TaskAnswer {
  status: 'answered' | 'unknown_person' | 'nothing_in_scope'
  datasets: DatasetAnswer[]
}

export interface Task {
  id: string
  requestId: string
  adapterId: string
  adapter: string
  action: Action
  state: TaskState
  config: TaskConfig
  dueAt: Date
  attempt: number
  failures: number
  location: string | null
  answer: TaskAnswer | null
  problem: { code: string; detail: string; at: string } | null
  asked: boolean
  runAt: Date
  startedAt: Date | null
  finishedAt: Date | null
}

const COLUMNS = `t.id, t.request_id AS "requestId", t.adapter_id AS "adapterId", t.adapter, t.action, t.state, t.config, t.due_at AS "dueAt",
  t.attempt, t.failures, t.location, t.answer, t.problem, t.asked, t.run_at AS "runAt", t.started_at AS "startedAt",
  t.finished_at AS "finishedAt"`

/** How long a worker may be silent before its task goes to another. */
export const LEASE_SECONDS = 15

export type NewTask = Pick<Task, 'requestId' | 'adapterId' | 'adapter' | 'action' | 'config' | 'dueAt'> & {
  afterTask?: string
  answer?: TaskAnswer
}

/** Makes a task unless there is one already for this adapter and action; with an answer given, it is done and nobody is asked. */
export async function insertTask(tx: Tx, task: NewTask, now: Date): Promise<string> {
  const state: TaskState = task.answer ? 'done' : task.afterTask ? 'waiting' : 'ready'
  const [row] = await tx.query<{ id: string }[]>(
    `INSERT INTO task (id, request_id, adapter_id, adapter, action, state, after_task, config, due_at, run_at, created_at, answer, asked, finished_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), $10, $11, $12, $13)
     ON CONFLICT (request_id, adapter_id, action) DO UPDATE SET request_id = EXCLUDED.request_id RETURNING id`,
    [
      randomUUIDv7(),
      task.requestId,
      task.adapterId,
      task.adapter,
      task.action,
      state,
      task.afterTask ?? null,
      JSON.stringify(task.config),
      task.dueAt,
      now,
      task.answer ? JSON.stringify(task.answer) : null,
      task.answer === undefined,
      task.answer ? now : null,
    ],
  )
  return (row as { id: string }).id
}

export async function tasksOf(tx: Tx, requestId: string, action?: Action): Promise<Task[]> {
  return tx.query(
    `SELECT ${COLUMNS} FROM task t WHERE request_id = $1 AND ($2::text IS NULL OR action = $2) ORDER BY adapter, action DESC`,
    [requestId, action ?? null],
  )
}

export async function getTask(tx: Tx, id: string): Promise<Task | undefined> {
  const [task] = await tx.query<Task[]>(`SELECT ${COLUMNS} FROM task t WHERE id = $1`, [id])
  return task
}

interface Capacity {
  id: string
  free: number
}

/** Adapters with work that may start, each held by us alone for this transaction, and how many more calls each can bear. */
async function capacities(tx: Tx): Promise<Capacity[]> {
  return tx.query(
    `SELECT a.id, floor(least(
        a.concurrency - (SELECT count(*) FROM task t WHERE t.adapter_id = a.id AND t.state = 'running' AND t.lease_until > now()),
        least(a.per_minute, a.allowance + extract(epoch FROM now() - a.allowance_at) * a.per_minute / 60)))::int AS free
     FROM adapter a
     WHERE a.state = 'active'
       AND EXISTS (SELECT FROM task t WHERE t.adapter_id = a.id AND t.state IN ('ready', 'accepted', 'running') AND t.run_at <= now())
     FOR UPDATE OF a SKIP LOCKED`,
  )
}

/**
 * Claims up to `slots` tasks for this worker, the earliest due first and each adapter in its turn, within what each adapter
 * bears at once and a minute over the whole fleet. A task whose worker fell silent is claimed like any other; its `attempt`
 * grows, so that the silent one's answer finds nobody. Content is only ever asked for once identity has been proven: the
 * condition stands here, at the last gate, and reads the request itself.
 */
export async function claim(tx: Tx, slots: number): Promise<Task[]> {
  const claimed: Task[] = []
  const adapters = await capacities(tx)
  for (const [i, { id, free }] of adapters.entries()) {
    const share = Math.ceil((slots - claimed.length) / (adapters.length - i))
    const limit = Math.min(free, share)
    if (limit <= 0) continue
    const [tasks] = await tx.query<[Task[], number]>(
      `WITH next AS (
         SELECT t.id FROM task t JOIN dsar_request r ON r.id = t.request_id
         WHERE t.adapter_id = $1 AND t.state IN ('ready', 'accepted', 'running') AND t.run_at <= now()
           AND CASE t.action WHEN 'resolve' THEN r.state = 'verifying'
               ELSE r.state = 'fulfilling' AND r.assurance >= r.assurance_needed
                 AND EXISTS (SELECT FROM proof p WHERE p.request_id = r.id AND p.level >= r.assurance_needed) END
         ORDER BY t.due_at, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED)
       UPDATE task t SET state = 'running', attempt = t.attempt + 1, started_at = now(), ${LEASE}
       FROM next WHERE t.id = next.id RETURNING ${COLUMNS}`,
      [id, limit],
    )
    if (tasks.length === 0) continue
    claimed.push(...tasks)
    await tx.query(
      `UPDATE adapter SET allowance_at = now(),
         allowance = least(per_minute, allowance + extract(epoch FROM now() - allowance_at) * per_minute / 60) - $2 WHERE id = $1`,
      [id, tasks.length],
    )
  }
  return claimed
}

const LEASE = `lease_until = now() + interval '${LEASE_SECONDS} seconds', run_at = now() + interval '${LEASE_SECONDS} seconds'`

/** Says that the worker lives. False when the task is no longer its own. */
export async function keepLease(read: Tx, { id, attempt }: Pick<Task, 'id' | 'attempt'>): Promise<boolean> {
  const [, kept] = await read.query<[unknown[], number]>(
    `UPDATE task SET ${LEASE} WHERE id = $1 AND attempt = $2 AND state = 'running'`,
    [id, attempt],
  )
  return kept === 1
}

export interface TaskChange {
  state: TaskState
  failures?: number
  /** Seconds until it may run again. */
  delaySeconds?: number
  location?: string | null
  answer?: TaskAnswer
  problem?: { code: string; detail: string } | null
}

/** Writes what came of an attempt. False when the attempt is no longer the task's: then nothing was written, and nothing counts. */
export async function settle(
  tx: Tx,
  { id, attempt }: Pick<Task, 'id' | 'attempt'>,
  change: TaskChange,
  now: Date,
): Promise<boolean> {
  const { state, failures, delaySeconds, location, answer, problem } = change
  const final = state === 'done' || state === 'failed' || state === 'quarantined'
  const [, changed] = await tx.query<[unknown[], number]>(
    `UPDATE task SET state = $3, failures = coalesce($4, failures), run_at = now() + make_interval(secs => $5), lease_until = NULL,
       location = $6, answer = coalesce($7, answer), problem = $8, finished_at = $9
     WHERE id = $1 AND attempt = $2 AND state = 'running'`,
    [
      id,
      attempt,
      state,
      failures ?? null,
      delaySeconds ?? 0,
      location ?? null,
      answer ? JSON.stringify(answer) : null,
      problem ? JSON.stringify({ ...problem, at: now.toISOString() }) : null,
      final ? now : null,
    ],
  )
  return changed === 1
}

/** Gives a task back untouched, because this worker is stopping: the next one need not wait for the lease to run out. */
export async function giveBack(tx: Tx, { id, attempt, location }: Pick<Task, 'id' | 'attempt' | 'location'>): Promise<void> {
  await tx.query(
    `UPDATE task SET state = $3, run_at = now(), lease_until = NULL WHERE id = $1 AND attempt = $2 AND state = 'running'`,
    [id, attempt, location ? 'accepted' : 'ready'],
  )
}

/** Lets the tasks run that waited for this one. True when there was one. */
export async function releaseAfter(tx: Tx, taskId: string): Promise<boolean> {
  const [, released] = await tx.query<[unknown[], number]>(
    `UPDATE task SET state = 'ready', run_at = now() WHERE after_task = $1 AND state = 'waiting'`,
    [taskId],
  )
  return released > 0
}

/** Ends what has not ended of a request, so that nobody is asked any more. Answers still under way will find no task of theirs. */
export async function cancelOpen(tx: Tx, requestId: string, now: Date): Promise<void> {
  await tx.query(
    `UPDATE task SET state = 'cancelled', finished_at = $2 WHERE request_id = $1 AND state IN ('waiting', 'ready', 'running', 'accepted', 'failed', 'quarantined')`,
    [requestId, now],
  )
}

/** Puts a task that ended badly, or waits for its next try, back to the front, with the adapter as it is now. */
export async function restart(tx: Tx, id: string, config: TaskConfig): Promise<boolean> {
  const [, restarted] = await tx.query<[unknown[], number]>(
    `UPDATE task SET state = 'ready', run_at = now(), failures = 0, location = NULL, problem = NULL, finished_at = NULL, config = $2
     WHERE id = $1 AND state IN ('failed', 'quarantined', 'ready', 'accepted')`,
    [id, JSON.stringify(config)],
  )
  return restarted === 1
}

/** Makes an asynchronous task ask for its answer now. */
export async function pollNow(tx: Tx, id: string): Promise<void> {
  await tx.query(`UPDATE task SET run_at = now() WHERE id = $1 AND state = 'accepted'`, [id])
}
