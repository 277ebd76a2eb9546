import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { MailDeferred, type Mailer, MailRefused } from '../platform/mailer.ts'
import type { Vault } from '../platform/vault.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { type LetterName, type LetterValues, renderLetter } from './letters/render-letter.ts'
import { letterContext } from './outbox.ts'

export interface SendDeps extends CaseDeps {
  transact: Transact
  read: Tx
  vault: Pick<Vault, 'open' | 'openJson'>
  mailer: Mailer
  onLetter(kind: string, outcome: 'sent' | 'deferred' | 'refused'): void
}

interface Letter {
  id: string
  requestId: string
  kind: LetterName
  messageId: string
  recipient: Buffer
  values: Buffer
  attempts: number
}

const BY = system('outbox')
/** From here on the staff see that somebody is not being reached; the letter goes on being tried. */
const ATTEMPTS_UNTIL_FLAGGED = 5

/**
 * Sends one letter of the outbox. A server that defers is asked again, soon at first, then every half minute, for as long
 * as it takes: the queue's own patience would end before a long outage does. Nothing in the letter changes between tries.
 */
export async function sendLetter(deps: SendDeps, letterId: string): Promise<void> {
  const [letter] = await deps.read.query<Letter[]>(
    `SELECT id, request_id AS "requestId", kind, message_id AS "messageId", recipient_sealed AS recipient, values_sealed AS values, attempts
     FROM letter WHERE id = $1 AND state = 'queued'`,
    [letterId],
  )
  if (!letter) return
  const { locale, values } = deps.vault.openJson(letter.values, letterContext('values_sealed', letterId)) as {
    locale: string
    values: LetterValues[LetterName]
  }
  const address = deps.vault.open(letter.recipient, letterContext('recipient_sealed', letterId)).toString('utf8')
  try {
    await deps.mailer.send({ messageId: letter.messageId, to: { address }, ...renderLetter(letter.kind, locale, values) })
  } catch (error) {
    if (error instanceof MailDeferred) return deferred(deps, letter, error.message)
    if (error instanceof MailRefused) return refused(deps, letter, error.message)
    throw error
  }
  await deps.transact(tx => sent(deps, tx, letter))
}

async function sent(deps: SendDeps, tx: Tx, letter: Letter): Promise<void> {
  const now = deps.clock.now()
  const request = await lockRequest(tx, letter.requestId)
  const [, changed] = await tx.query<[unknown[], number]>(
    `UPDATE letter SET state = 'sent', sent_at = $2, attempts = attempts + 1, problem = NULL, recipient_sealed = NULL, values_sealed = NULL
     WHERE id = $1 AND state = 'queued'`,
    [letter.id, now],
  )
  if (changed !== 1) return
  deps.onLetter(letter.kind, 'sent')
  await deps.record(tx, requestStream(request.id), BY, 'letter_sent', { letter: letter.kind, messageId: letter.messageId })
  await setFlag(deps, tx, request.id, 'mail_undeliverable', false, BY)
  if (letter.kind === 'ready' && request.state === 'delivering')
    await applyEvent(deps, tx, request.id, 'handed_over', BY, { by: 'mail' })
}

async function deferred(deps: SendDeps, letter: Letter, problem: string): Promise<void> {
  const attempts = letter.attempts + 1
  await deps.transact(async tx => {
    await tx.query(`UPDATE letter SET attempts = $2, problem = $3 WHERE id = $1 AND state = 'queued'`, [
      letter.id,
      attempts,
      problem,
    ])
    if (attempts === ATTEMPTS_UNTIL_FLAGGED) await setFlag(deps, tx, letter.requestId, 'mail_undeliverable', true, BY)
    await deps.enqueue(tx, 'send-letter', { letterId: letter.id }, { afterSeconds: Math.min(30, 2 ** attempts) })
  })
  deps.onLetter(letter.kind, 'deferred')
}

async function refused(deps: SendDeps, letter: Letter, problem: string): Promise<void> {
  await deps.transact(async tx => {
    await tx.query(
      `UPDATE letter SET state = 'refused', attempts = attempts + 1, problem = $2 WHERE id = $1 AND state = 'queued'`,
      [letter.id, problem],
    )
    await deps.record(tx, requestStream(letter.requestId), BY, 'letter_refused', { letter: letter.kind })
    await setFlag(deps, tx, letter.requestId, 'mail_undeliverable', true, BY)
  })
  deps.onLetter(letter.kind, 'refused')
}
