import type { Day } from '../domain/day.ts'
import type { Tx } from '../platform/database.ts'
import type { Task } from './tasks.store.ts'

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
}

const COLUMNS = `adapter_id AS "adapterId", adapter, dataset, count, reason, statute, until`

/** Notes what each adapter said it keeps: it is erased when its day comes. */
export async function keepLeftovers(tx: Tx, requestId: string, tasks: readonly Task[]): Promise<void> {
  const kept = tasks
    .filter(({ action }) => action === 'erase')
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
     ON CONFLICT DO NOTHING`,
    [requestId, JSON.stringify(kept)],
  )
}

export async function leftoversOf(read: Tx, requestId: string): Promise<Leftover[]> {
  return read.query(`SELECT ${COLUMNS} FROM leftover WHERE request_id = $1 ORDER BY adapter, dataset`, [requestId])
}

const DAY_MS = 86_400_000
/** After these many days it is looked again whether erased data stayed away. */
export const RESCAN_DAYS = [7, 30] as const

export async function scheduleRescans(tx: Tx, requestId: string, now: Date): Promise<void> {
  for (const [i, days] of RESCAN_DAYS.entries())
    await tx.query('INSERT INTO rescan (request_id, round, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
      requestId,
      i + 1,
      new Date(now.getTime() + days * DAY_MS),
    ])
}
