import { randomUUIDv7 } from 'node:crypto'
import type { Jobs } from '../pipeline.ts'
import type { Clock } from '../platform/clock.ts'
import { type Tx, write } from '../platform/database.ts'
import type { Enqueue } from '../platform/queue.ts'
import type { Vault } from '../platform/vault.ts'
import type { LetterName, LetterValues } from './letters/render-letter.ts'

export interface OutboxDeps {
  vault: Pick<Vault, 'seal' | 'sealJson'>
  clock: Clock
  enqueue: Enqueue<Jobs>
  /** Where people reach this service; its host is that of every Message-ID. */
  publicUrl: string
}

export type NewLetter = {
  [K in LetterName]: {
    kind: K
    /** Null for what is about no one request. */
    requestId: K extends 'daily-digest' | 'guessing' | 'budget-spent' | 'adapter-late' ? null : string
    recipient: string
    locale: string
    values: LetterValues[K]
    /** The same letter is written once, however often it is asked for. */
    dedupe: string
  }
}[LetterName]

export const letterContext = (column: string, id: string) => `letter|${column}|${id}`

/**
 * Writes a letter, in the transaction of what it tells of: it goes out if, and only if, that happened. Its Message-ID is
 * chosen here, once, so that a mail that goes out twice is recognised as one.
 */
export async function writeLetter(deps: OutboxDeps, tx: Tx, letter: NewLetter): Promise<void> {
  const id = randomUUIDv7()
  const { requestId, kind, recipient, locale, values, dedupe } = letter
  const [written] = await tx.query<{ id: string }[]>(
    `INSERT INTO letter (id, request_id, kind, dedupe, message_id, recipient_sealed, values_sealed, state, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8) ON CONFLICT (dedupe) DO NOTHING RETURNING id`,
    [
      id,
      requestId,
      kind,
      dedupe,
      `<${id}@${new URL(deps.publicUrl).hostname}>`,
      deps.vault.seal(recipient, letterContext('recipient_sealed', id)),
      deps.vault.sealJson({ locale, values }, letterContext('values_sealed', id)),
      deps.clock.now(),
    ],
  )
  if (written) await deps.enqueue(tx, 'send-letter', { letterId: id })
}

/** Keeps a letter that the law demands and that nobody can be mailed, for an officer to tell it otherwise. */
export async function keepUnaddressed(
  { vault, clock, publicUrl }: Omit<OutboxDeps, 'enqueue'>,
  tx: Tx,
  { requestId, kind, locale, values, dedupe }: Omit<NewLetter, 'recipient'>,
): Promise<void> {
  const id = randomUUIDv7()
  await tx.query(
    `INSERT INTO letter (id, request_id, kind, dedupe, message_id, values_sealed, state, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'unaddressed', $7) ON CONFLICT (dedupe) DO NOTHING`,
    [
      ...[id, requestId, kind, `unaddressed|${dedupe}`, `<${id}@${new URL(publicUrl).hostname}>`],
      ...[vault.sealJson({ locale, values }, letterContext('values_sealed', id)), clock.now()],
    ],
  )
}

/** What a letter says that nobody was mailed. Undefined for any other, and once it was told. */
export async function unmailedLetter(
  { vault }: { vault: Pick<Vault, 'openJson'> },
  read: Tx,
  requestId: string,
  id: string,
): Promise<{ kind: LetterName; locale: string; values: LetterValues[LetterName] } | undefined> {
  const [letter] = await read.query<{ kind: LetterName; sealed: Buffer }[]>(
    `SELECT kind, values_sealed AS sealed FROM letter
     WHERE id = $1 AND request_id = $2 AND state IN ('unaddressed', 'refused') AND values_sealed IS NOT NULL`,
    [id, requestId],
  )
  if (!letter) return undefined
  const { locale, values } = vault.openJson(letter.sealed, letterContext('values_sealed', id)) as {
    locale: string
    values: LetterValues[LetterName]
  }
  return { kind: letter.kind, locale, values }
}

/** Keeps no more what was to be told otherwise: it was, or mail reaches its reader again. */
export async function forgetUnmailed(tx: Tx, requestId: string): Promise<void> {
  await write(tx, `UPDATE letter SET values_sealed = NULL WHERE request_id = $1 AND state IN ('unaddressed', 'refused')`, [
    requestId,
  ])
}

/** Takes letters back that have not gone out yet, because what they tell of is no longer so. One on its way right now may still arrive. */
export async function supersedeLetters(tx: Tx, requestId: string, kind: LetterName): Promise<void> {
  await write(
    tx,
    `UPDATE letter SET state = 'superseded', recipient_sealed = NULL, values_sealed = NULL
     WHERE request_id = $1 AND kind = $2 AND state = 'queued'`,
    [requestId, kind],
  )
}

interface LetterState {
  id: string
  kind: string
  state: 'queued' | 'sent' | 'refused' | 'superseded' | 'unaddressed'
  toBeTold: boolean
  attempts: number
  writtenAt: Date
  sentAt: Date | null
}

/** The letters about a request, in the order in which they were written: neither what they say nor to whom. */
export const lettersOf = (read: Tx, requestId: string): Promise<LetterState[]> =>
  read.query(
    `SELECT id, kind, state, attempts, created_at AS "writtenAt", sent_at AS "sentAt",
       state IN ('unaddressed', 'refused') AND values_sealed IS NOT NULL AS "toBeTold" FROM letter WHERE request_id = $1 ORDER BY id`,
    [requestId],
  )
