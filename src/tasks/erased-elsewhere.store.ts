import type { Tx } from '../platform/database.ts'
import type { Task } from './tasks.store.ts'

/** An erasure that the same adapter was asked for by another request about the same person. */
export interface OtherErasure {
  requestId: string
  /** Whether it has said that it did it. */
  isDone: boolean
  /** What it erased. */
  datasets: string[]
}

/**
 * What else an adapter was asked to erase of the person since a moment, what is done first: of somebody who is erased by two requests it
 * knows nobody any more when the second comes. People are the same who have an identity in common that was established in both.
 */
export async function erasedElsewhere(
  read: Tx,
  { requestId, adapterId }: Pick<Task, 'requestId' | 'adapterId'>,
  since: Date,
): Promise<OtherErasure[]> {
  return read.query(
    `SELECT t.request_id AS "requestId", t.state = 'done' AS "isDone",
       ARRAY(SELECT said ->> 'name' FROM jsonb_array_elements(t.answer -> 'datasets') said WHERE said ->> 'outcome' = 'completed') AS datasets
     FROM task t
     WHERE t.adapter_id = $2 AND t.action = 'erase' AND t.attempt > 0 AND (t.state <> 'done' OR t.finished_at >= $3)
       AND t.request_id IN (
         SELECT theirs.request_id FROM request_identity mine JOIN request_identity theirs USING (type, value_index)
         WHERE mine.request_id = $1 AND theirs.request_id <> $1 AND 'named' NOT IN (mine.provenance, theirs.provenance))
     ORDER BY 2 DESC, t.finished_at`,
    [requestId, adapterId, since],
  )
}
