import type { Tx } from '../platform/database.ts'
import type { AuditEntry } from './chain.ts'

export type RecordedEntry = AuditEntry & { hash: Buffer; keyId: string; signature: Buffer }

const COLUMNS = `stream, seq, at, actor_kind AS "actorKind", actor_id AS "actorId", event, facts, previous, hash, key_id AS "keyId", signature`

/** All that the record says of one stream, in order. */
export async function entriesOf(read: Tx, stream: string): Promise<RecordedEntry[]> {
  return read.query(`SELECT ${COLUMNS} FROM audit_entry WHERE stream = $1 ORDER BY seq`, [stream])
}

/** What one stream says of these things, where a fact of that name tells them apart. */
export async function entriesAbout(read: Tx, stream: string, fact: string, ids: readonly string[]): Promise<RecordedEntry[]> {
  return read.query(`SELECT ${COLUMNS} FROM audit_entry WHERE stream = $1 AND facts->>$2 = ANY($3) ORDER BY seq`, [
    stream,
    fact,
    ids,
  ])
}

/** A page of the record in the order of streams, after a place in it; of one stream where it is given. */
export async function entriesAfter(
  read: Tx,
  after: { stream: string; seq: number },
  limit: number,
  stream?: string,
): Promise<RecordedEntry[]> {
  return read.query(
    `SELECT ${COLUMNS} FROM audit_entry WHERE (stream, seq) > ($1, $2) AND ($3::text IS NULL OR stream = $3) ORDER BY stream, seq LIMIT $4`,
    [after.stream, after.seq, stream ?? null, limit],
  )
}
