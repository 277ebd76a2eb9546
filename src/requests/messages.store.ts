import { createHash, randomUUIDv7 } from 'node:crypto'
import type { Caller } from '../auth/caller.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'

export const SIDES = ['person', 'service', 'staff'] as const
/** Who wrote: the person, a service for them, or we. */
export type Side = (typeof SIDES)[number]

export interface Message {
  id: string
  from: Side
  text: string
  at: Date
  /** Files that went with it, by their ids. */
  attachments: string[]
}

export interface MessageDeps {
  vault: Pick<Vault, 'seal' | 'open'>
  clock: Clock
}

const context = (id: string) => `message|text_sealed|${id}`

/** Whoever comes without a token comes as the person. */
export const sideOf = ({ kind }: Caller): Side => (kind === 'support_agent' ? 'staff' : kind === 'service' ? 'service' : 'person')

/** @returns with the digest of what is kept: it was sealed with chance in it, so no guess at what it says can be held against it. */
export async function addMessage(
  { vault, clock }: MessageDeps,
  tx: Tx,
  requestId: string,
  { from, text }: Pick<Message, 'from' | 'text'>,
): Promise<{ id: string; at: Date; sha256: string }> {
  const id = randomUUIDv7()
  const at = clock.now()
  const sealed = vault.seal(text, context(id))
  await tx.query('INSERT INTO message (id, request_id, side, text_sealed, created_at) VALUES ($1, $2, $3, $4, $5)', [
    id,
    requestId,
    from,
    sealed,
    at,
  ])
  return { id, at, sha256: createHash('sha256').update(sealed).digest('hex') }
}

/** That they are still as they were kept, and nothing of what they say. */
export async function messageDigestsOf(
  read: Tx,
  requestId: string,
): Promise<(Omit<Message, 'text' | 'attachments'> & { sha256: string })[]> {
  return read.query(
    `SELECT id, side AS "from", created_at AS at, encode(sha256(text_sealed), 'hex') AS sha256 FROM message WHERE request_id = $1 ORDER BY id`,
    [requestId],
  )
}

/** In the order in which they were written. */
export async function messagesOf({ vault }: Pick<MessageDeps, 'vault'>, read: Tx, requestId: string): Promise<Message[]> {
  const rows = await read.query<(Omit<Message, 'text'> & { sealed: Buffer })[]>(
    `SELECT id, side AS "from", text_sealed AS sealed, created_at AS at,
       ARRAY(SELECT a.id::text FROM attachment a WHERE a.message_id = message.id ORDER BY a.id) AS attachments
     FROM message WHERE request_id = $1 ORDER BY id`,
    [requestId],
  )
  return rows.map(({ sealed, ...message }) => ({ ...message, text: vault.open(sealed, context(message.id)).toString('utf8') }))
}
