import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { awaitsProof, type DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { MailDeferred, type Mailer, MailRefused } from '../platform/mailer.ts'
import type { Vault } from '../platform/vault.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { READER_OF, TO_BE_TOLD } from './letters/readers.ts'
import { type LetterName, type LetterValues, renderLetter } from './letters/render-letter.ts'
import { forgetUnmailed, letterContext } from './outbox.ts'

type Outcome = 'sent' | 'deferred' | 'refused'

export interface SendDeps extends CaseDeps {
  transact: Transact
  read: Tx
  vault: Pick<Vault, 'open' | 'openJson'>
  mailer: Mailer
  onLetter(kind: string, outcome: Outcome): void
}

interface Letter {
  id: string
  /** Null for what is about no one request. */
  requestId: string | null
  kind: LetterName
  messageId: string
  recipient: Buffer
  values: Buffer
}

const BY = system('outbox')
/** From here on the staff see that somebody is not being reached; the letter goes on being tried. */
const ATTEMPTS_UNTIL_FLAGGED = 5
/** The letters that are the answer, or the way to it: a request that is being answered has been once one of them is taken. */
const ANSWERS: ReadonlySet<LetterName> = new Set([
  ...(['ready', 'answered', 'erased', 'restricted', 'restriction-lifted', 'under-age-lifted', 'rectified'] as const),
  ...(['objection-decided', 'consent-receipt', 'opted-out'] as const),
])

/**
 * Sends one letter of the outbox. A server that defers is asked again, soon at first, then every half minute, for as long
 * as it takes: the queue's own patience would end before a long outage does. Nothing in the letter changes between tries.
 */
export async function sendLetter(deps: SendDeps, letterId: string): Promise<void> {
  const [letter] = await deps.read.query<Letter[]>(
    `SELECT id, request_id AS "requestId", kind, message_id AS "messageId", recipient_sealed AS recipient, values_sealed AS values
     FROM letter WHERE id = $1 AND state = 'queued'`,
    [letterId],
  )
  if (!letter) return
  const { outcome, problem } = await attempt(deps, letter)
  const noted = await deps.transact(tx => note(deps, tx, letter, outcome, problem))
  if (noted) deps.onLetter(letter.kind, outcome)
}

async function attempt(
  { vault, mailer }: SendDeps,
  { id, kind, messageId, recipient, values: sealed }: Letter,
): Promise<{ outcome: Outcome; problem?: string }> {
  const { locale, values } = vault.openJson(sealed, letterContext('values_sealed', id)) as {
    locale: string
    values: LetterValues[LetterName]
  }
  const address = vault.open(recipient, letterContext('recipient_sealed', id)).toString('utf8')
  try {
    await mailer.send({ messageId, to: { address }, ...renderLetter(kind, locale, values) })
    return { outcome: 'sent' }
  } catch (error) {
    if (error instanceof MailDeferred) return { outcome: 'deferred', problem: error.message }
    if (error instanceof MailRefused) return { outcome: 'refused', problem: error.message }
    throw error
  }
}

/** Writes down what came of an attempt. False when the letter was settled meanwhile: by another worker, or because it was taken back. */
async function note(deps: SendDeps, tx: Tx, letter: Letter, outcome: Outcome, problem?: string): Promise<boolean> {
  // In one breath, in this order: the case is held first, and who is not reached is asked for after what came of this letter.
  const { requestId } = letter
  const held = requestId === null ? undefined : lockRequest(tx, requestId)
  const settling = settle(deps, tx, letter, outcome, problem)
  const unreached = requestId === null ? false : isUnreached(tx, requestId)
  const [request, settled, isUnheard] = await Promise.all([held, settling, unreached])
  if (!settled) return false
  if (outcome === 'deferred')
    await deps.enqueue(tx, 'send-letter', { letterId: letter.id }, { afterSeconds: Math.min(30, 2 ** settled.attempts) })
  if (request) await noteInCase(deps, tx, request, letter, outcome, isUnheard)
  return true
}

/** @returns nothing where it was settled already */
async function settle(
  deps: SendDeps,
  tx: Tx,
  letter: Letter,
  outcome: Outcome,
  problem?: string,
): Promise<{ attempts: number } | undefined> {
  const [[settled]] = await tx.query<[{ attempts: number }[], number]>(
    outcome === 'deferred'
      ? `UPDATE letter SET attempts = attempts + 1, problem = $2 WHERE id = $1 AND state = 'queued' RETURNING attempts`
      : `UPDATE letter SET attempts = attempts + 1, problem = $2, state = $3, sent_at = $4, recipient_sealed = NULL, values_sealed = CASE WHEN $5 THEN values_sealed END
         WHERE id = $1 AND state = 'queued' RETURNING attempts`,
    [
      letter.id,
      problem ?? null,
      ...(outcome === 'deferred'
        ? []
        : [outcome, outcome === 'sent' ? deps.clock.now() : null, outcome === 'refused' && TO_BE_TOLD.has(letter.kind)]),
    ],
  )
  return settled
}

/** What it means for the request that the letter is about. */
async function noteInCase(
  deps: SendDeps,
  tx: Tx,
  request: DsarRequest,
  letter: Letter,
  outcome: Outcome,
  unreached: boolean,
): Promise<void> {
  const facts = { letter: letter.kind, messageId: letter.messageId }
  if (outcome !== 'deferred') await deps.record(tx, requestStream(request.id), BY, `letter_${outcome}`, facts)
  await setFlag(deps, tx, request.id, 'mail_undeliverable', unreached, BY)
  if (!unreached) await forgetUnmailed(tx, request.id)
  if (outcome === 'sent' && ANSWERS.has(letter.kind) && request.state === 'delivering' && !awaitsProof(request))
    await applyEvent(deps, tx, request.id, 'handed_over', BY, { by: 'mail' })
}

/** Whether any reader, each controller and everybody else for themself, is not being reached: by the last letter, by one that waits, or at all. */
async function isUnreached(tx: Tx, id: string): Promise<boolean> {
  const found = await tx.query<unknown[]>(
    `SELECT 1 FROM letter WHERE request_id = $1 AND state = 'queued' AND attempts >= $2
     UNION ALL SELECT 1 FROM (
       SELECT DISTINCT ON (reader, forwarding) state FROM letter,
         LATERAL (SELECT coalesce($3::jsonb ->> kind, 'person') AS reader) AS r,
         LATERAL (SELECT CASE reader WHEN 'controller' THEN split_part(dedupe, '|', 2) END AS forwarding) AS f
       WHERE request_id = $1 AND state IN ('sent', 'refused')
       ORDER BY reader, forwarding, id DESC) AS last WHERE state = 'refused'
     UNION ALL SELECT 1 FROM dsar_request r WHERE r.id = $1 AND r.state = 'delivering'
       AND NOT EXISTS (SELECT FROM contact_point WHERE request_id = r.id)
       AND NOT EXISTS (SELECT FROM requester WHERE request_id = r.id AND proven_at IS NOT NULL)`,
    [id, ATTEMPTS_UNTIL_FLAGGED, JSON.stringify(READER_OF)],
  )
  return found.length > 0
}
