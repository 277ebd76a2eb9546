import { requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import { dayIn } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { authorityFor } from '../policy/texts.ts'
import { applyEvent, lockRequest, renewVersion, setFlag } from '../requests/apply-event.ts'
import { type AssessDeps, proceed } from '../requests/assess.ts'
import { insertEntry } from '../requests/clock-ledger.store.ts'
import { canBeTold, requireReader, type WriteDecisionLetter } from '../requests/decision-letter.ts'
import type { StoredDecision } from '../requests/decisions.store.ts'
import { type RefusalDeps, titlesOf } from './refusable.ts'

export interface CarryOutDeps extends Omit<AssessDeps, 'vault' | 'policy'>, Omit<RefusalDeps, 'vault' | 'policy'> {
  policy: AssessDeps['policy'] & RefusalDeps['policy']
  vault: AssessDeps['vault'] & RefusalDeps['vault']
  writeLetterToSubject: WriteDecisionLetter
}

/** Does what an effective decision says, in its transaction: the request moves, the record has it, and the person is written to. */
export async function carryOut(deps: CarryOutDeps, tx: Tx, decision: StoredDecision, by: Actor): Promise<void> {
  const facts = { decision: decision.id, ...(decision.ground && { ground: decision.ground }) }
  const request = await lockRequest(tx, decision.requestId)
  if (decision.kind === 'approve') await proceed(deps, tx, request.id, by, facts)
  if (decision.kind === 'refuse') {
    await applyEvent(deps, tx, request.id, 'refused', by, facts)
    await tellOfRefusal(deps, tx, request, decision, by)
  }
  if (decision.kind === 'refuse_partly') {
    await deps.record(tx, requestStream(request.id), by, 'refused_partly', facts)
    await tellOfRefusal(deps, tx, request, decision, by)
    if (request.state === 'assessing') await proceed(deps, tx, request.id, by, facts)
    else await renewVersion(tx, request.id)
  }
  if (decision.kind === 'fee_notice') await announceFee(deps, tx, request, decision, by)
}

/** Whoever cannot be written to has to be told another way: silence is no answer, so that is left to the staff, with the letter. */
async function tellOfRefusal(
  deps: CarryOutDeps,
  tx: Tx,
  request: DsarRequest,
  decision: StoredDecision,
  by: Actor,
): Promise<void> {
  if (request.relationship === 'reporter') return // who was reported has asked for nothing; that it is over they are told by its end
  const { id, ground, citation, reasons, parts } = decision
  if (!ground || reasons === null) throw new Error(`Refusal ${id} says nothing.`)
  if (!(await canBeTold(deps, tx, request))) await setFlag(deps, tx, request.id, 'mail_undeliverable', true, by)
  const authority = authorityFor(deps.policy, request.locale)
  const told = { right: request.right, ground, ...(citation && { citation }), reasons, authority }
  await deps.writeLetterToSubject(
    tx,
    request,
    parts
      ? { kind: 'partial-refusal', occasion: id, values: { ...told, parts: await titlesOf(deps, tx, parts, request.locale) } }
      : { kind: 'refusal', occasion: id, values: told },
  )
}

/** The person is told before anything is charged, so that they can withdraw (EDPB Guidelines 01/2022 §194). Until they answer, nothing is done. */
async function announceFee(deps: CarryOutDeps, tx: Tx, request: DsarRequest, decision: StoredDecision, by: Actor): Promise<void> {
  const { id, fee, reasons } = decision
  if (!fee || reasons === null) throw new Error(`Fee notice ${id} says nothing.`)
  await requireReader(deps, tx, request)
  const now = deps.clock.now()
  const on = dayIn(now, deps.timeZone)
  const pause = await insertEntry(
    deps,
    tx,
    request.id,
    { kind: 'pause', reason: 'fee', text: reasons, on },
    { id: by.id, at: now },
  )
  await deps.record(tx, requestStream(request.id), by, 'fee_announced', { decision: id, pause, on })
  await renewVersion(tx, request.id)
  await deps.writeLetterToSubject(tx, request, { kind: 'fee-notice', occasion: id, values: { ...fee, reasons } })
}
