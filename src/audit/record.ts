import type { Actor } from '../domain/actor.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { FIRST, hashOf } from './chain.ts'

/** Facts an entry may carry: identifiers, codes, numbers and days. Never a name, an address or anything a person said. */
export type Facts = Record<string, string | number | boolean | null | readonly string[]>

/** Writes one entry at the end of a stream, in the transaction of what it records. */
export type Recorder = (tx: Tx, stream: string, by: Actor, event: string, facts?: Facts) => Promise<void>

export const requestStream = (requestId: string) => `request:${requestId}`
export const ADAPTERS = 'adapters'

export interface RecorderDeps {
  clock: Clock
  /** Ed25519 over the entry's hash: the newest entry of a stream is its signed head. */
  sign(bytes: Buffer): { keyId: string; signature: Buffer }
}

export function createRecorder({ clock, sign }: RecorderDeps): Recorder {
  return async (tx, stream, by, event, facts = {}) => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 5))', [stream])
    const [last] = await tx.query<{ seq: number; hash: Buffer }[]>(
      'SELECT seq, hash FROM audit_entry WHERE stream = $1 ORDER BY seq DESC LIMIT 1',
      [stream],
    )
    const entry = {
      stream,
      seq: (last?.seq ?? 0) + 1,
      at: clock.now(),
      actorKind: by.kind,
      actorId: by.id,
      event,
      facts,
      previous: last?.hash ?? FIRST,
    }
    const hash = hashOf(entry)
    const { keyId, signature } = sign(hash)
    await tx.query(
      `INSERT INTO audit_entry (stream, seq, at, actor_kind, actor_id, event, facts, previous, hash, key_id, signature)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [stream, entry.seq, entry.at, by.kind, by.id, event, JSON.stringify(facts), entry.previous, hash, keyId, signature],
    )
  }
}
