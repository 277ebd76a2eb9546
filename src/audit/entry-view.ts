import { type Static, Type } from 'typebox'
import type { RecordedEntry } from './entries.ts'

export const Stream = Type.String({
  pattern: '^(adapters|holds|restores|consents|oversight|webhooks|request:[0-9a-f-]{36})$',
  examples: ['adapters'],
})
export const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })

export const EntryView = Type.Object(
  {
    stream: Stream,
    seq: Type.Integer(),
    at: Type.String({ format: 'date-time' }),
    actor: Type.Object({ kind: Type.String(), id: Type.String() }),
    event: Type.String(),
    facts: Type.Record(Type.String(), Type.Unknown()),
    previous: Hash,
    hash: Hash,
    keyId: Type.String(),
    signature: Type.String({ description: 'Ed25519 over the hash, base64.' }),
  },
  { title: 'AuditEntry' },
)

/** An entry with all that it takes to check it elsewhere. */
export function viewEntry(entry: RecordedEntry): Static<typeof EntryView> {
  const { actorKind, actorId, previous, hash, signature, at, ...rest } = entry
  return {
    ...rest,
    at: at.toISOString(),
    actor: { kind: actorKind, id: actorId },
    previous: previous.toString('hex'),
    hash: hash.toString('hex'),
    signature: signature.toString('base64'),
  }
}
