import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import { rightFacts } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import type { WriteDecisionLetter } from '../requests/decision-letter.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { addMessage, type MessageDeps } from '../requests/messages.store.ts'

export const REVIEW_OUTCOMES = ['upheld', 'changed'] as const

export interface Answer {
  /** To the person, in their words' language. */
  text: string
  /** What became of a decision that was made automatically, once a person has looked at it (Art. 22(3)). */
  outcome?: (typeof REVIEW_OUTCOMES)[number]
}

export interface AnswerDeps extends CaseDeps, Omit<IdentityDeps, 'vault'>, Omit<MessageDeps, 'vault'> {
  vault: IdentityDeps['vault'] & MessageDeps['vault']
  writeLetterToSubject: WriteDecisionLetter
}

/**
 * Answers what only a person can answer. The answer goes out as a letter and stays among the messages; the record has that it was
 * given, and no word of it. Where no address is on file it waits, flagged, to be told otherwise.
 * @throws Problem `not_allowed`, `unprocessable`, `illegal_transition`
 */
export async function answerRequest(deps: AnswerDeps, tx: Tx, id: string, answer: Answer, caller: Caller): Promise<DsarRequest> {
  const request = await lockRequest(tx, id)
  await refuseOwnCase(deps, tx, request, caller)
  if (!rightFacts(request.right).decidedByPeople)
    throw new Problem('illegal_transition', `A request for ${request.right} is answered by carrying it out.`)
  const errors = faultsOf(request, answer)
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
  const answered = await applyEvent(deps, tx, id, 'answered', toActor(caller), answer.outcome ? { outcome: answer.outcome } : {})
  const message = await addMessage(deps, tx, id, { from: 'staff', text: answer.text })
  await deps.record(tx, requestStream(id), toActor(caller), 'message_written', {
    message: message.id,
    side: 'staff',
    sha256: message.sha256,
  })
  await deps.writeLetterToSubject(tx, answered, { kind: 'answered', occasion: message.id, values: { text: answer.text } })
  return answered
}

function faultsOf({ right }: DsarRequest, { text, outcome }: Answer): Fault[] {
  const isReview = right === 'automated_decision_review'
  return [
    ...(text.trim() === '' ? [{ pointer: '/text', detail: 'Say something.' }] : []),
    ...(isReview && !outcome
      ? [{ pointer: '/outcome', detail: `What became of the decision: ${REVIEW_OUTCOMES.join(' or ')} (GDPR Art. 22(3)).` }]
      : []),
    ...(!isReview && outcome ? [{ pointer: '/outcome', detail: 'There was no decision to be reviewed.' }] : []),
  ]
}
