import type { Dataset } from '../adapters/protocol.ts'
import { holdStream, requestStream } from '../audit/record.ts'
import type { RefusalGround } from '../domain/refusal.ts'
import type { Withheld } from '../domain/withheld.ts'
import type { Action } from '../pipeline.ts'
import { type Tx, write } from '../platform/database.ts'

export const TASK_STATES = ['waiting', 'ready', 'running', 'accepted', 'done', 'failed', 'quarantined', 'cancelled'] as const
export type TaskState = (typeof TASK_STATES)[number]

/** Of tasks that go on by themselves. One that waits for another goes on when that one does. */
export const LIVE_STATES: readonly TaskState[] = ['ready', 'running', 'accepted']

/** What the adapter was when the task was made: a change of it does not reach into a request half done. */
export interface TaskConfig {
  baseUrl: string
  title: string
  identityTypes: string[]
  /** Those of them that it takes only as a SHA-256. */
  hashedTypes: string[]
  /** What it is asked about. */
  datasets: Dataset[]
  /** What else it holds, and this request is not about. */
  outOfScope: Dataset[]
  /** What the request is about, and was refused: nobody is asked for it. */
  refused?: (Dataset & { ground: RefusalGround })[]
  /** What the request is about, and another controller has to answer. */
  forwarded?: (Dataset & { controller: string })[]
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
  /** `settled_by_hand`: a person says so, and not the adapter. */
  status: 'answered' | 'unknown_person' | 'nothing_in_scope' | 'settled_by_hand'
  datasets: DatasetAnswer[]
  /** The other request of the person by which it had been erased before. */
  erasedFor?: string
  /** What of it was not kept, for the sake of others. */
  withheld?: Withheld[]
  /** Who settled it, and the file in which it can be read how. */
  settled?: { by: string; reference: string }
}

export interface Task {
  id: string
  /** The id by which the adapter knows it: the same for every try, another once a person has it asked anew, unless it is a change that may have been made unheard. */
  key: string
  requestId: string
  adapterId: string
  adapter: string
  action: Action
  /** 0 for the answer itself; what is looked for again later, and erased when its day has come, goes by further rounds. */
  round: number
  state: TaskState
  config: TaskConfig
  dueAt: Date
  attempt: number
  /** In a row. */
  failures: number
  /** Workers in a row that fell silent over it. */
  lost: number
  /** Where its answer can be polled. */
  locationSealed: Buffer | null
  answer: TaskAnswer | null
  problem: { code: string; detail: string; at: string } | null
  asked: boolean
  runAt: Date
  startedAt: Date | null
  finishedAt: Date | null
}

/** An adapter may name the person in it. */
export const locationContext = (id: string) => `task|location_sealed|${id}`

export const TASK_COLUMNS = `t.id, t.key, t.request_id AS "requestId", t.adapter_id AS "adapterId", t.adapter, t.action, t.round, t.state, t.config, t.due_at AS "dueAt",
  t.attempt, t.failures, t.lost, t.location_sealed AS "locationSealed", t.answer, t.problem, t.asked, t.run_at AS "runAt", t.started_at AS "startedAt",
  t.finished_at AS "finishedAt"`

export type NewTask = Pick<Task, 'id' | 'adapterId' | 'adapter' | 'action' | 'config'> & {
  /** The tasks that have to be done before it. */
  after?: readonly string[]
  /** Given where it is known without asking. */
  answer?: TaskAnswer
  /** Given where asking would be in vain. */
  problem?: { code: string; detail: string }
}

/** Of this many open requests of one opener it does not matter any more which was first: they are counted anew for each. */
const MOST_AHEAD = 1000

/** How many open requests of the same opener were there before `request`: what is due at the same time goes by turns among openers. */
const AHEAD = `(SELECT count(*) FROM (SELECT FROM dsar_request other JOIN dsar_request mine ON mine.id = $1
   WHERE other.opened_by = mine.opened_by AND other.closed_at IS NULL AND other.id < mine.id LIMIT ${MOST_AHEAD}) AS before)`

/** Makes tasks of a request, but none that is there already for its adapter, action and round. */
export async function insertTasks(
  tx: Tx,
  { requestId, round, dueAt, now }: { requestId: string; round: number; dueAt: Date; now: Date },
  tasks: readonly NewTask[],
): Promise<void> {
  await write(
    tx,
    `INSERT INTO task (id, key, request_id, adapter_id, adapter, action, round, state, after, config, due_at, ahead, run_at, created_at, answer, problem,
       asked, finished_at)
     SELECT t.id, t.id, $1, t."adapterId", t.adapter, t.action, $5,
       CASE WHEN t.answer IS NOT NULL THEN 'done' WHEN t.problem IS NOT NULL THEN 'failed' WHEN t.after IS NOT NULL THEN 'waiting' ELSE 'ready' END,
       coalesce(t.after, '{}'), t.config, $2, ${AHEAD}, now(), $3::timestamptz, t.answer, t.problem || jsonb_build_object('at', $3::timestamptz),
       t.answer IS NULL, CASE WHEN t.answer IS NOT NULL OR t.problem IS NOT NULL THEN $3::timestamptz END
     FROM jsonb_to_recordset($4::jsonb)
       AS t(id uuid, "adapterId" uuid, adapter text, action text, after uuid[], config jsonb, answer jsonb, problem jsonb)
     ON CONFLICT (request_id, adapter_id, action, round) DO NOTHING`,
    [requestId, dueAt, now, JSON.stringify(tasks.map(waitingForNobody)), round],
  )
}

const waitingForNobody = ({ after, ...task }: NewTask) => (after && after.length > 0 ? { ...task, after } : task)

export async function tasksOf(tx: Tx, requestId: string, action?: Action): Promise<Task[]> {
  return tx.query(
    `SELECT ${TASK_COLUMNS} FROM task t WHERE request_id = $1 AND ($2::text IS NULL OR action = $2) ORDER BY adapter, round, action DESC`,
    [requestId, action ?? null],
  )
}

export interface Standing {
  /** How many tasks are not done that belong together: those that find out who it is, or all others of a round. */
  open: number
  /** How many of them may still be, without anybody's help. */
  underWay: number
  /** What a person has to look at: `failures` in a row count as failed, though it goes on being asked. */
  failed_task: boolean
  quarantined: boolean
  unconfirmed_erasure: boolean
}

/** How the tasks of a request stand, and those among which one belongs. */
export async function standingOf(
  tx: Tx,
  { requestId, action, round }: Pick<Task, 'requestId' | 'action' | 'round'>,
  failures: number,
): Promise<Standing> {
  const [standing] = await tx.query<[Standing]>(
    `SELECT count(*) FILTER (WHERE beside AND state <> 'done') AS open,
            count(*) FILTER (WHERE beside AND state = ANY($5)) AS "underWay",
            count(*) FILTER (WHERE state = 'failed' OR state = 'ready' AND failures >= $2) > 0 AS failed_task,
            count(*) FILTER (WHERE state = 'quarantined') > 0 AS quarantined,
            count(*) FILTER (WHERE action = 'confirm_erased' AND (state = 'failed' OR state <> 'done' AND problem ->> 'code' = 'still_there')) > 0
              AS unconfirmed_erasure
     FROM task, LATERAL (SELECT (action = 'resolve') = ($3 = 'resolve') AND round = $4 AS beside) AS x WHERE request_id = $1`,
    [requestId, failures, action, round, LIVE_STATES],
  )
  return standing
}

/**
 * A task that exists, held until the transaction ends, and the record of its request before it: whoever takes in an answer holds that
 * first, and two that went crosswise would wait for each other.
 */
export async function lockTask(tx: Tx, { id, requestId }: Pick<Task, 'id' | 'requestId'>): Promise<Task> {
  await holdStream(tx, requestStream(requestId))
  const [task] = await tx.query<Task[]>(`SELECT ${TASK_COLUMNS} FROM task t WHERE id = $1 FOR UPDATE`, [id])
  return task as Task
}

export async function getTask(tx: Tx, id: string): Promise<Task | undefined> {
  const [task] = await tx.query<Task[]>(`SELECT ${TASK_COLUMNS} FROM task t WHERE id = $1`, [id])
  return task
}

export interface TaskChange {
  state: Exclude<TaskState, 'waiting' | 'running' | 'cancelled'>
  failures?: number
  /** Seconds until it may run again. */
  delaySeconds?: number
  locationSealed?: Buffer
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
  const { state, failures, delaySeconds, locationSealed, answer, problem } = change
  const final = state === 'done' || state === 'failed' || state === 'quarantined'
  const [, changed] = await tx.query<[unknown[], number]>(
    `UPDATE task SET state = $3, lost = 0, failures = coalesce($4, failures), run_at = now() + make_interval(secs => $5), lease_until = NULL,
       location_sealed = $6, answer = coalesce($7, answer), problem = $8, finished_at = $9
     WHERE id = $1 AND attempt = $2 AND state = 'running'`,
    [
      id,
      attempt,
      state,
      failures ?? null,
      delaySeconds ?? 0,
      locationSealed ?? null,
      answer ? JSON.stringify(answer) : null,
      problem ? JSON.stringify({ ...problem, at: now.toISOString() }) : null,
      final ? now : null,
    ],
  )
  return changed === 1
}

/** Lets the tasks run that waited for this one and for no other. Whoever ran this one looks for more when it ends, and finds them. */
export async function releaseAfter(tx: Tx, { id, requestId }: Pick<Task, 'id' | 'requestId'>): Promise<void> {
  await tx.query(
    `UPDATE task t SET state = 'ready', run_at = now() WHERE t.request_id = $2 AND t.state = 'waiting' AND $1 = ANY(t.after)
       AND NOT EXISTS (SELECT FROM task earlier WHERE earlier.id = ANY(t.after) AND earlier.state <> 'done')`,
    [id, requestId],
  )
}

/** Ends what has not ended of a request, so that nobody is asked any more. Answers still under way will find no task of theirs. */
export async function cancelOpen(tx: Tx, requestId: string, now: Date): Promise<void> {
  await write(
    tx,
    `UPDATE task SET state = 'cancelled', finished_at = $2 WHERE request_id = $1 AND state IN ('waiting', 'ready', 'running', 'accepted', 'failed', 'quarantined')`,
    [requestId, now],
  )
}

/** Makes an asynchronous task ask for its answer now. */
export async function pollNow(tx: Tx, id: string): Promise<void> {
  await tx.query(`UPDATE task SET run_at = now() WHERE id = $1 AND state = 'accepted'`, [id])
}
