import { RESTORES, type Recorder } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { nextRound } from './later-rounds.store.ts'

/** A backup that was restored, and what had been erased since it was made: all that is erased once more. */
export interface Restore {
  id: string
  adapterId: string | null
  /** By name; none stands for all of them. */
  adapter: string | null
  restoredTo: Date
  requestedBy: string
  requestedAt: Date
  concludedAt: Date | null
  erasures: number
  replayed: number
  confirmed: number
  failed: number
}

const COLUMNS = `s.id, s.adapter_id AS "adapterId", a.name AS adapter, s.restored_to AS "restoredTo", s.requested_by AS "requestedBy",
  s.requested_at AS "requestedAt", s.concluded_at AS "concludedAt"`
const COUNTS = `count(l.*) AS erasures, count(l.started_at) AS replayed, count(*) FILTER (WHERE l.found = 0) AS confirmed,
  count(*) FILTER (WHERE l.found > 0) AS failed`

export async function findRestore(read: Tx, id: string): Promise<Restore | undefined> {
  const [restore] = await read.query<Restore[]>(
    `SELECT ${COLUMNS}, ${COUNTS} FROM restore s LEFT JOIN adapter a ON a.id = s.adapter_id LEFT JOIN later_round l ON l.restore_id = s.id
     WHERE s.id = $1 GROUP BY s.id, a.name`,
    [id],
  )
  return restore
}

/** The adapter whose backup it was; null for all of them. */
export async function adapterRestored(tx: Tx, id: string): Promise<string | null> {
  const [row] = await tx.query<{ adapterId: string | null }[]>('SELECT adapter_id AS "adapterId" FROM restore WHERE id = $1', [
    id,
  ])
  return row?.adapterId ?? null
}

/** Opens a restore. @returns its id, and that of one for the same that is still being worked on where there is one */
export async function insertRestore(
  tx: Tx,
  {
    id,
    adapterId,
    restoredTo,
    requestedBy,
    requestedAt,
  }: Pick<Restore, 'id' | 'adapterId' | 'restoredTo' | 'requestedBy' | 'requestedAt'>,
): Promise<{ id: string; isNew: boolean }> {
  const [made] = await tx.query<unknown[]>(
    `INSERT INTO restore (id, adapter_id, restored_to, requested_by, requested_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING id`,
    [id, adapterId, restoredTo, requestedBy, requestedAt],
  )
  if (made) return { id, isNew: true }
  const [open] = await tx.query<{ id: string }[]>(
    'SELECT id FROM restore WHERE restored_to = $1 AND adapter_id IS NOT DISTINCT FROM $2 AND concluded_at IS NULL',
    [restoredTo, adapterId],
  )
  if (!open) return insertRestore(tx, { id, adapterId, restoredTo, requestedBy, requestedAt })
  return { id: open.id, isNew: false }
}

/**
 * Owes a round to every request of which an adapter has erased something since, answered or not: one statement, however many
 * there are. @returns how many
 */
export async function oweReplays(
  tx: Tx,
  { id, adapterId, restoredTo, requestedAt }: Pick<Restore, 'id' | 'adapterId' | 'restoredTo' | 'requestedAt'>,
): Promise<number> {
  let owed = 0
  // A number may be taken by another round of the same request at this moment: then the next one is tried.
  for (let tries = 0; tries < 5; tries += 1) {
    const made = await tx.query<unknown[]>(
      `INSERT INTO later_round (request_id, round, kind, due_at, restore_id)
       SELECT erased.request_id, ${nextRound('erased.request_id')}, 'replay', $4, $1::uuid
       FROM (SELECT DISTINCT t.request_id FROM task t WHERE t.action = 'erase' AND t.state = 'done' AND t.asked
               AND t.finished_at >= $3 AND ($2::uuid IS NULL OR t.adapter_id = $2)
               AND NOT EXISTS (SELECT FROM later_round l WHERE l.request_id = t.request_id AND l.restore_id = $1)) AS erased
       ON CONFLICT DO NOTHING RETURNING 1`,
      [id, adapterId, restoredTo, requestedAt],
    )
    if (made.length === 0) break
    owed += made.length
  }
  return owed
}

/** Ends a restore once each of its rounds has come to something. */
export async function concludeRestore(deps: { clock: Clock; record: Recorder }, tx: Tx, id: string): Promise<void> {
  // The last two rounds may end at the same moment: whoever comes second sees what the first did.
  await tx.query('SELECT 1 FROM restore WHERE id = $1 FOR UPDATE', [id])
  const [, concluded] = await tx.query<[unknown[], number]>(
    `UPDATE restore SET concluded_at = $2 WHERE id = $1 AND concluded_at IS NULL
       AND NOT EXISTS (SELECT FROM later_round WHERE restore_id = $1 AND concluded_at IS NULL)`,
    [id, deps.clock.now()],
  )
  if (concluded === 0) return
  const restore = await findRestore(tx, id)
  const { erasures = 0, confirmed = 0, failed = 0 } = restore ?? {}
  await deps.record(tx, RESTORES, system('fulfilment'), 'restore_concluded', { restore: id, erasures, confirmed, failed })
}
