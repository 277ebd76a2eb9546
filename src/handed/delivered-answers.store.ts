import type { Tx } from '../platform/database.ts'
import { TASK_COLUMNS, type Task } from '../tasks/tasks.store.ts'

export interface Delivered {
  taskId: string
  mediaType: string
  blobKey: string
  sha256: string
  deliveredBy: string
  needsSecond: boolean
  approvedBy: string | null
}

const COLUMNS = `task_id AS "taskId", media_type AS "mediaType", blob_key AS "blobKey", sha256, delivered_by AS "deliveredBy",
  needs_second AS "needsSecond", approved_by AS "approvedBy"`

/** The answer to a task, by the id under which it was handed over, once nobody has to agree to it any more. */
export async function deliveredFor(tx: Tx, taskKey: string): Promise<Delivered | undefined> {
  const [delivered] = await tx.query<Delivered[]>(
    `SELECT ${COLUMNS} FROM delivered_answer WHERE task_key = $1 AND (NOT needs_second OR approved_by IS NOT NULL)`,
    [taskKey],
  )
  return delivered
}

/** What was delivered for a task, agreed to or not. */
export async function deliveredTo(tx: Tx, taskKey: string): Promise<Delivered | undefined> {
  const [delivered] = await tx.query<Delivered[]>(`SELECT ${COLUMNS} FROM delivered_answer WHERE task_key = $1`, [taskKey])
  return delivered
}

/** False when there is one already: the first counts. */
export async function insertDelivered(
  tx: Tx,
  { key, id }: Pick<Task, 'key' | 'id'>,
  { mediaType, blobKey, sha256, deliveredBy, needsSecond }: Omit<Delivered, 'taskId' | 'approvedBy'>,
  now: Date,
): Promise<boolean> {
  const inserted = await tx.query<unknown[]>(
    `INSERT INTO delivered_answer (task_key, task_id, media_type, blob_key, sha256, delivered_by, delivered_at, needs_second)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (task_key) DO NOTHING RETURNING 1`,
    [key, id, mediaType, blobKey, sha256, deliveredBy, now, needsSecond],
  )
  return inserted.length === 1
}

export async function dropDelivered(tx: Tx, taskKey: string): Promise<void> {
  await tx.query('DELETE FROM delivered_answer WHERE task_key = $1', [taskKey])
}

export async function saveAgreement(tx: Tx, taskKey: string, by: string): Promise<void> {
  await tx.query('UPDATE delivered_answer SET approved_by = $2 WHERE task_key = $1', [taskKey, by])
}

/**
 * Hands waiting tasks of a locked adapter over, the earliest due first, for so many seconds: what is not answered by then is handed over
 * again.
 */
export async function lease(tx: Tx, adapterId: string, { most, seconds }: { most: number; seconds: number }): Promise<Task[]> {
  const tasks = await tx.query<Task[]>(
    `SELECT ${TASK_COLUMNS} FROM task t LEFT JOIN handed_task h ON h.task_id = t.id
     WHERE t.adapter_id = $1 AND t.state = 'accepted' AND (h.leased_key IS DISTINCT FROM t.key OR h.leased_until <= now())
       AND NOT EXISTS (SELECT FROM delivered_answer d WHERE d.task_key = t.key) ORDER BY t.due_at, t.ahead, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED`,
    [adapterId, most],
  )
  await tx.query(
    `INSERT INTO handed_task (task_id, leased_key, leased_until) SELECT id, key, now() + make_interval(secs => $2) FROM task WHERE id = ANY($1)
     ON CONFLICT (task_id) DO UPDATE SET leased_key = excluded.leased_key, leased_until = excluded.leased_until`,
    [tasks.map(({ id }) => id), seconds],
  )
  return tasks
}

/** Remembers a signed call, so that whoever recorded it cannot repeat it. False when it came before. */
export async function seenFirst(tx: Tx, adapterId: string, webhookId: string, now: Date): Promise<boolean> {
  const first = await tx.query<unknown[]>(
    'INSERT INTO lease_seen (adapter_id, webhook_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1',
    [adapterId, webhookId, now],
  )
  return first.length === 1
}

/** A task that waits for its answer, by the id under which it was handed over. */
export async function handedTask(tx: Tx, taskKey: string): Promise<Task | undefined> {
  const [task] = await tx.query<Task[]>(
    `SELECT ${TASK_COLUMNS} FROM task t WHERE t.key = $1 AND t.state IN ('accepted', 'running')`,
    [taskKey],
  )
  return task
}
