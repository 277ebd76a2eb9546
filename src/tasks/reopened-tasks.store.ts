import type { Trouble } from '../adapters/answer.ts'
import type { Tx } from '../platform/database.ts'
import { isEffect } from './judge-effect.ts'
import type { Task, TaskAnswer, TaskConfig } from './tasks.store.ts'

/** After these nobody knows whether the adapter did what it was asked: its answer never came. */
const NEVER_ANSWERED: readonly Trouble[] = [
  ...(['connection', 'timeout', 'cut', 'aborted', 'server_error', 'busy', 'own_trouble', 'worker_lost'] as const),
]

/**
 * Puts a task that ended badly, waits for its next try or does not end, back to the front, with the adapter as it is now. Under a
 * new key: an adapter repeats what it answered to the old one, and may refuse it for another question. But a change under the old one where
 * it is the same and was not answered: what was done by it, and perhaps is being done now, is answered as it was, and not by an adapter
 * that no longer knows whom it erased. Whoever runs it finds at their next heartbeat that it is no longer theirs.
 */
export async function restart(tx: Tx, { id, action }: Pick<Task, 'id' | 'action'>, config: TaskConfig): Promise<boolean> {
  const [, restarted] = await tx.query<[unknown[], number]>(
    `UPDATE task SET state = 'ready', run_at = now(), failures = 0, lost = 0, location_sealed = NULL, problem = NULL, finished_at = NULL, lease_until = NULL, config = $2,
       key = CASE WHEN $4 AND location_sealed IS NULL AND config = $2 AND (problem ->> 'code' = ANY($3) OR problem IS NULL) THEN key ELSE gen_random_uuid() END
     WHERE id = $1 AND state IN ('failed', 'quarantined', 'ready', 'accepted', 'running')`,
    [id, JSON.stringify(config), NEVER_ANSWERED, isEffect(action)],
  )
  return restarted === 1
}

/** Has something done a second time that was said to be done. */
export async function doAgain(tx: Tx, id: string, config: TaskConfig): Promise<void> {
  await tx.query(
    `UPDATE task SET state = 'ready', key = gen_random_uuid(), run_at = now(), failures = 0, lost = 0, location_sealed = NULL, problem = NULL,
       answer = NULL, finished_at = NULL, lease_until = NULL, config = $2 WHERE id = $1`,
    [id, JSON.stringify(config)],
  )
}

/** Has a task that ended badly wait for another, and then ask anew. */
export async function waitFor(tx: Tx, id: string, other: string, config: TaskConfig): Promise<void> {
  await tx.query(
    `UPDATE task SET state = 'waiting', key = gen_random_uuid(), failures = 0, lost = 0, problem = NULL, finished_at = NULL,
       lease_until = NULL, after = ARRAY[$2::uuid], config = $3 WHERE id = $1`,
    [id, other, JSON.stringify(config)],
  )
}

/**
 * Notes what people found out where the adapter gave no answer. Whoever asks it at this moment finds that the task is no longer
 * theirs. False for one that was answered or is not wanted any more.
 */
export async function settleByHand(tx: Tx, id: string, answer: TaskAnswer, now: Date): Promise<boolean> {
  const [, settled] = await tx.query<[unknown[], number]>(
    `UPDATE task SET state = 'done', attempt = attempt + 1, failures = 0, lost = 0, location_sealed = NULL, lease_until = NULL, problem = NULL,
       answer = $2, finished_at = $3 WHERE id = $1 AND state NOT IN ('done', 'cancelled')`,
    [id, JSON.stringify(answer), now],
  )
  return settled === 1
}
