import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest, renewVersion, setFlag } from '../requests/apply-event.ts'
import type { WriteDecisionLetter } from '../requests/decision-letter.ts'
import { addMessage, type MessageDeps, type Side, sideOf } from '../requests/messages.store.ts'
import { sendWith } from './attachments.store.ts'

export interface WriteMessageDeps extends CaseDeps, MessageDeps {
  writeLetterToSubject: WriteDecisionLetter
  /** Without the message itself. */
  tellOfficerOfMessage(tx: Tx, request: DsarRequest, messageId: string): Promise<void>
}

/**
 * Keeps a message, which makes a new version of the request: who decides on it has read everything. The other side is told that
 * there is one, never what it says. Where somebody was reported as a child, their word is what it takes to have people look.
 * @throws Problem `illegal_transition` once the request has ended, `unprocessable` for an attachment that cannot be sent
 */
export async function writeMessage(
  deps: WriteMessageDeps,
  tx: Tx,
  requestId: string,
  { text, attachments = [] }: { text: string; attachments?: readonly string[] },
  caller: Caller,
): Promise<{ id: string; from: Side; at: Date }> {
  const request = await lockRequest(tx, requestId)
  if (request.closedAt) throw new Problem('illegal_transition', `The request is '${request.state}': open another.`)
  const by = toActor(caller)
  const from = sideOf(caller)
  const { id, at, sha256 } = await addMessage(deps, tx, requestId, { from, text })
  const sent = await sendWith(tx, { requestId, messageId: id, from, ids: attachments })
  refuseUnsent(attachments, sent)
  const facts = { message: id, side: from, sha256, ...(sent.length > 0 && { attachments: sent }) }
  await deps.record(tx, requestStream(requestId), by, 'message_written', facts)
  if (from === 'staff') await deps.writeLetterToSubject(tx, request, { kind: 'message-waiting', occasion: id, values: {} })
  else {
    await deps.tellOfficerOfMessage(tx, request, id)
    if (request.right === 'under_age_report') await setFlag(deps, tx, requestId, 'needs_decision', true, by)
  }
  await renewVersion(tx, requestId)
  return { id, from, at }
}

function refuseUnsent(named: readonly string[], sent: readonly string[]): void {
  const detail = 'There is no file of yours here that was found clean and has not been sent yet.'
  const errors = named.flatMap((id, i) => (sent.includes(id.toLowerCase()) ? [] : [{ pointer: `/attachments/${i}`, detail }]))
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}
