import type { Actor } from '../domain/actor.ts'
import type { Clock } from '../platform/clock.ts'
import { type Tx, write } from '../platform/database.ts'
import { FIRST, hashOf } from './chain.ts'
import type { AuditEvent } from './events.ts'

/** Facts an entry may carry: identifiers, codes, numbers and days. Never a name, an address or anything a person said. */
export type Facts = Record<string, string | number | boolean | null | readonly string[]>

/** Writes one entry at the end of a stream, in the transaction of what it records. */
export type Recorder = (tx: Tx, stream: string, by: Actor, event: AuditEvent, facts?: Facts) => Promise<void>

/** Told of every entry, in its transaction. */
export type OnRecorded = (tx: Tx, entry: { stream: string; at: Date; event: AuditEvent; facts: Facts }) => Promise<void>

const OF_REQUEST = 'request:'
export const requestStream = (requestId: string) => OF_REQUEST + requestId
export const requestIdOf = (stream: string): string | undefined =>
  stream.startsWith(OF_REQUEST) ? stream.slice(OF_REQUEST.length) : undefined
export const ADAPTERS = 'adapters'
export const HOLDS = 'holds'
export const RESTORES = 'restores'
/** That people said yes again, to whom no request of theirs has to exist. */
export const CONSENTS = 'consents'
/** Who of the staff may see what. */
export const OVERSIGHT = 'oversight'
export const WEBHOOKS = 'webhooks'

export interface RecorderDeps {
  clock: Clock
  /** Ed25519 over the entry's hash: the newest entry of a stream is its signed head. */
  sign(bytes: Buffer): { keyId: string; signature: Buffer }
  onRecorded?: OnRecorded
}

interface Head {
  seq: number
  hash: Buffer
}

export function createRecorder({ clock, sign, onRecorded }: RecorderDeps): Recorder {
  return async (tx, stream, by, event, facts = {}) => {
    const last = await holdStream(tx, stream)
    const entry = {
      stream,
      seq: last.seq + 1,
      at: clock.now(),
      actorKind: by.kind,
      actorId: by.id,
      event,
      facts,
      previous: last.hash,
    }
    const hash = hashOf(entry)
    const { keyId, signature } = sign(hash)
    await write(
      tx,
      `INSERT INTO audit_entry (stream, seq, at, actor_kind, actor_id, event, facts, previous, hash, key_id, signature)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [stream, entry.seq, entry.at, by.kind, by.id, event, JSON.stringify(facts), entry.previous, hash, keyId, signature],
    )
    headsIn(tx).set(stream, Promise.resolve({ seq: entry.seq, hash }))
    await onRecorded?.(tx, entry)
  }
}

/** Where the streams end that a transaction has to itself. */
const heads = new WeakMap<Tx, Map<string, Promise<Head>>>()

function headsIn(tx: Tx): Map<string, Promise<Head>> {
  const mine = heads.get(tx) ?? new Map<string, Promise<Head>>()
  heads.set(tx, mine)
  return mine
}

/**
 * Keeps a stream for this transaction alone, until it ends. Whoever is going to record something asks for it together with what they ask
 * first, and need not wait for it then. @returns its newest entry, or what stands before the first
 */
export function holdStream(tx: Tx, stream: string): Promise<Head> {
  const mine = headsIn(tx)
  const head = mine.get(stream) ?? lockStream(tx, stream)
  mine.set(stream, head)
  return head
}

async function lockStream(tx: Tx, stream: string): Promise<Head> {
  const [last] = await tx.query<Head[]>('SELECT seq, hash FROM audit_head($1)', [stream])
  return last ?? { seq: 0, hash: FIRST }
}
