import type { Day } from '../domain/day.ts'
import type { Tx } from '../platform/database.ts'
import type { Task } from '../tasks/tasks.store.ts'

/** What an erasure had to leave, and until when (Art. 17(3)). */
export interface Leftover {
  adapterId: string
  adapter: string
  dataset: string
  count: number
  /** Such as `17_3_b`. */
  reason: string
  statute: string | null
  until: Day
  erasedAt: Date | null
}

const COLUMNS = `adapter_id AS "adapterId", adapter, dataset, count, reason, statute, until, erased_at AS "erasedAt"`

/**
 * Notes what each adapter said it keeps: it is erased when its day comes. What was thought to be gone and is kept, because a
 * backup brought it back or a law changed, waits for its day again.
 */
export async function keepLeftovers(tx: Tx, requestId: string, tasks: readonly Task[]): Promise<void> {
  const kept = tasks
    .filter(({ action, state }) => action === 'erase' && state === 'done')
    .flatMap(({ adapterId, adapter, answer }) =>
      (answer?.datasets ?? [])
        .filter(({ outcome, until }) => outcome === 'retained' && until !== undefined)
        .map(({ name, until, ...rest }) => ({
          ...rest,
          adapter_id: adapterId,
          adapter,
          dataset: name,
          until: until?.slice(0, 10),
        })),
    )
  await tx.query(
    `INSERT INTO leftover (request_id, adapter_id, adapter, dataset, count, reason, statute, until)
     SELECT $1, adapter_id, adapter, dataset, count, coalesce(reason, 'unknown'), statute, until
     FROM jsonb_to_recordset($2::jsonb) AS k(adapter_id uuid, adapter text, dataset text, count int, reason text, statute text, until date)
     ON CONFLICT (request_id, adapter_id, dataset) DO UPDATE SET count = EXCLUDED.count, reason = EXCLUDED.reason,
       statute = EXCLUDED.statute, until = EXCLUDED.until, round = NULL, erased_at = NULL
     WHERE leftover.erased_at IS NOT NULL`,
    [requestId, JSON.stringify(kept)],
  )
}

export async function leftoversOf(read: Tx, requestId: string): Promise<Leftover[]> {
  return read.query(`SELECT ${COLUMNS} FROM leftover WHERE request_id = $1 ORDER BY adapter, dataset`, [requestId])
}

/** What erasures have left of the person of a request, and keep restricted: of whoever has an identity in common that was established. */
export async function keptOfPerson(read: Tx, requestId: string): Promise<Pick<Leftover, 'adapterId' | 'dataset'>[]> {
  return read.query(
    `SELECT DISTINCT l.adapter_id AS "adapterId", l.dataset FROM leftover l
     JOIN request_identity theirs USING (request_id) JOIN request_identity mine USING (type, value_index)
     WHERE mine.request_id = $1 AND l.erased_at IS NULL AND 'named' NOT IN (mine.provenance, theirs.provenance)`,
    [requestId],
  )
}

/** What an adapter said it erased in a round, of what had been left until that day. @returns how many datasets */
export async function noteErased(tx: Tx, requestId: string, round: number, now: Date): Promise<number> {
  const [, erased] = await tx.query<[unknown[], number]>(
    'UPDATE leftover SET erased_at = $3 WHERE request_id = $1 AND round = $2 AND erased_at IS NULL',
    [requestId, round, now],
  )
  return erased
}
