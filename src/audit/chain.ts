import { createHash } from 'node:crypto'

/** One line of the accountability record (GDPR Art. 5(2)): who did what to which request, and when. Never personal data. */
export interface AuditEntry {
  /** What the chain is about: `request:<id>` or `adapters`. */
  stream: string
  /** Place in the stream, from 1, without gaps. */
  seq: number
  at: Date
  actorKind: string
  actorId: string
  event: string
  facts: Record<string, unknown>
  /** Hash of the entry before; 32 zero bytes for the first. */
  previous: Buffer
}

export const FIRST = Buffer.alloc(32)

/** SHA-256 over everything an entry says and the hash of the one before it, so that no entry can change, vanish or move unseen. */
export function hashOf(entry: AuditEntry): Buffer {
  const { stream, seq, at, actorKind, actorId, event, facts, previous } = entry
  const text = JSON.stringify([stream, seq, at.toISOString(), actorKind, actorId, event, sorted(facts), previous.toString('hex')])
  return createHash('sha256').update(text).digest()
}

/** The same value with its members in one order, because jsonb keeps none. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}
