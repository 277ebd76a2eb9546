import { randomUUIDv7 } from 'node:crypto'
import type { Day } from '../domain/day.ts'
import type { ExtensionReason } from '../domain/delay.ts'
import type { LedgerEntry, PauseReason } from '../domain/ledger.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'

/** A pause as stored: proposed until it has a day. */
export interface StoredPause {
  id: string
  reason: PauseReason
  from: Day | null
  until: Day | null
  createdBy: string
}

type NewEntry =
  | { kind: 'pause'; reason: PauseReason; text: string; on: Day | null }
  | { kind: 'extension'; reason: ExtensionReason; text: string; on: Day }
  | { kind: 'chaser'; on: Day }

const context = (id: string) => `clock_entry|text_sealed|${id}`

/** Keeps what bears on a request's clocks; what the person was told of it is sealed. */
export async function insertEntry(
  { vault }: { vault: Pick<Vault, 'seal'> },
  tx: Tx,
  requestId: string,
  entry: NewEntry,
  by: { id: string; at: Date },
): Promise<string> {
  const id = randomUUIDv7()
  const said = entry.kind === 'chaser' ? [null, null] : [entry.reason, vault.seal(entry.text, context(id))]
  await tx.query(
    `INSERT INTO clock_entry (id, request_id, kind, reason, text_sealed, on_day, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, requestId, entry.kind, ...said, entry.on, by.id, by.at],
  )
  return id
}

/** All that has happened to a request that bears on time, in its order. What is only proposed has not happened. */
export async function ledgerOf(read: Tx, requestId: string): Promise<LedgerEntry[]> {
  const rows = await read.query<{ kind: string; reason: string; on: Day; until: Day | null }[]>(
    `SELECT kind, reason, on_day AS "on", until_day AS until FROM clock_entry
     WHERE request_id = $1 AND on_day IS NOT NULL ORDER BY created_at, id`,
    [requestId],
  )
  return rows.map(({ kind, reason, on, until }): LedgerEntry => {
    if (kind === 'pause') return { kind, reason: reason as PauseReason, from: on, ...(until && { until }) }
    return kind === 'extension' ? { kind, on, reason } : { kind: 'chaser', on }
  })
}

/** Whether the person was told that the answer takes longer. */
export async function isExtended(tx: Tx, requestId: string): Promise<boolean> {
  const found = await tx.query<unknown[]>(`SELECT 1 FROM clock_entry WHERE request_id = $1 AND kind = 'extension'`, [requestId])
  return found.length > 0
}

const PAUSE = `SELECT id, reason, on_day AS "from", until_day AS until, created_by AS "createdBy" FROM clock_entry WHERE kind = 'pause'`

export async function findPause(tx: Tx, requestId: string, id: string): Promise<StoredPause | undefined> {
  const [pause] = await tx.query<StoredPause[]>(`${PAUSE} AND request_id = $1 AND id = $2`, [requestId, id])
  return pause
}

/** What is still awaited, or proposed, for this reason. */
export async function openPause(tx: Tx, requestId: string, reason: PauseReason): Promise<StoredPause | undefined> {
  const [pause] = await tx.query<StoredPause[]>(`${PAUSE} AND request_id = $1 AND reason = $2 AND until_day IS NULL`, [
    requestId,
    reason,
  ])
  return pause
}

export async function pausesOf(read: Tx, requestId: string): Promise<StoredPause[]> {
  return read.query<StoredPause[]>(`${PAUSE} AND request_id = $1 ORDER BY created_at, id`, [requestId])
}

/** What a pause asks, for the letter that asks it. */
export async function questionOf({ vault }: { vault: Pick<Vault, 'open'> }, tx: Tx, id: string): Promise<string> {
  const [row] = await tx.query<{ sealed: Buffer }[]>('SELECT text_sealed AS sealed FROM clock_entry WHERE id = $1', [id])
  if (!row) throw new Error(`There is no entry ${id} in the ledger.`)
  return vault.open(row.sealed, context(id)).toString('utf8')
}

export async function beginPause(tx: Tx, id: string, on: Day): Promise<void> {
  await tx.query('UPDATE clock_entry SET on_day = $2 WHERE id = $1', [id, on])
}

export async function endPause(tx: Tx, id: string, on: Day): Promise<void> {
  await tx.query('UPDATE clock_entry SET until_day = $2 WHERE id = $1', [id, on])
}

/** Forgets what was asked and why it took longer, in whosever words. When, and for which reason, stays. */
export async function forgetTexts({ vault }: { vault: Pick<Vault, 'seal'> }, tx: Tx, requestId: string): Promise<void> {
  const entries = await tx.query<{ id: string }[]>(
    'SELECT id FROM clock_entry WHERE request_id = $1 AND text_sealed IS NOT NULL',
    [requestId],
  )
  for (const { id } of entries)
    await tx.query('UPDATE clock_entry SET text_sealed = $2 WHERE id = $1', [id, vault.seal('', context(id))])
}
