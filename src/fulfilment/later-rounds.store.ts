import type { Day } from '../domain/day.ts'
import type { Tx } from '../platform/database.ts'

/**
 * What an answered erasure still owes: to look again whether the data stayed away, to erase what the law had kept once its day
 * has come, and to erase once more what a restored backup brought back. Each is a round of tasks of its own.
 */
export type RoundKind = 'rescan' | 'leftovers' | 'replay'

export interface LaterRound {
  requestId: string
  round: number
  kind: RoundKind
  restoreId: string | null
}

const DAY_MS = 86_400_000
/** After these many days it is looked again whether erased data stayed away. */
export const RESCAN_DAYS = [7, 30] as const

/** The next free number of a request, as SQL; the first ones are those of the looks that every erasure owes. */
export const nextRound = (requestId: string): string =>
  `greatest(${RESCAN_DAYS.length}, (SELECT max(round) FROM later_round WHERE request_id = ${requestId})) + 1`

const COLUMNS = `request_id AS "requestId", round, kind, restore_id AS "restoreId"`

export async function scheduleRescans(tx: Tx, requestId: string, now: Date): Promise<void> {
  for (const [i, days] of RESCAN_DAYS.entries())
    await tx.query(
      `INSERT INTO later_round (request_id, round, kind, due_at) VALUES ($1, $2, 'rescan', $3) ON CONFLICT DO NOTHING`,
      [requestId, i + 1, new Date(now.getTime() + days * DAY_MS)],
    )
}

/** Every later round of a request, with how many adapters it found wanting. */
export async function roundsOf(read: Tx, requestId: string) {
  return read.query<
    (Omit<LaterRound, 'requestId'> & { dueAt: Date; startedAt: Date | null; concludedAt: Date | null; found: number | null })[]
  >(
    `SELECT round, kind, restore_id AS "restoreId", due_at AS "dueAt", started_at AS "startedAt", concluded_at AS "concludedAt", found
     FROM later_round WHERE request_id = $1 ORDER BY round`,
    [requestId],
  )
}

/** Rounds whose time has come, of answered requests: what is still being carried out is waited for. */
export async function dueRounds(read: Tx, now: Date, limit: number): Promise<Pick<LaterRound, 'requestId' | 'round'>[]> {
  return read.query(
    `SELECT l.request_id AS "requestId", l.round FROM later_round l JOIN dsar_request r ON r.id = l.request_id
     WHERE l.started_at IS NULL AND l.due_at <= $1 AND r.state = 'completed' ORDER BY l.due_at, l.request_id LIMIT $2`,
    [now, limit],
  )
}

/** Begins a round. Undefined when it was begun before. */
export async function beginRound(
  tx: Tx,
  { requestId, round }: Pick<LaterRound, 'requestId' | 'round'>,
  now: Date,
): Promise<LaterRound | undefined> {
  const [[begun]] = await tx.query<[LaterRound[], number]>(
    `UPDATE later_round SET started_at = $3 WHERE request_id = $1 AND round = $2 AND started_at IS NULL RETURNING ${COLUMNS}`,
    [requestId, round, now],
  )
  return begun
}

/** A round of the leftovers whose day is over, begun. @returns what is to be erased in it, or undefined when there is none */
export async function ripenLeftovers(
  tx: Tx,
  requestId: string,
  today: Day,
  now: Date,
): Promise<{ round: number; ripe: { adapterId: string; dataset: string }[] } | undefined> {
  const [made] = await tx.query<{ round: number }[]>(
    `INSERT INTO later_round (request_id, round, kind, due_at, started_at) SELECT $1, ${nextRound('$1')}, 'leftovers', $2, $2
     WHERE EXISTS (SELECT FROM leftover WHERE request_id = $1 AND round IS NULL AND until < $3) RETURNING round`,
    [requestId, now, today],
  )
  if (!made) return undefined
  const [ripe] = await tx.query<[{ adapterId: string; dataset: string }[], number]>(
    `UPDATE leftover SET round = $3 WHERE request_id = $1 AND round IS NULL AND until < $2 RETURNING adapter_id AS "adapterId", dataset`,
    [requestId, today, made.round],
  )
  return { round: made.round, ripe }
}

/** Notes how many adapters a round found wanting. Undefined when that was noted before: a round that was mended is noted anew. */
export async function endRound(
  tx: Tx,
  requestId: string,
  round: number,
  found: number,
  now: Date,
): Promise<LaterRound | undefined> {
  const [[ended]] = await tx.query<[LaterRound[], number]>(
    `UPDATE later_round SET concluded_at = $3, found = $4 WHERE request_id = $1 AND round = $2 AND found IS DISTINCT FROM $4
     RETURNING ${COLUMNS}`,
    [requestId, round, now, found],
  )
  return ended
}
