import { randomUUIDv7 } from 'node:crypto'
import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { type Decision, needsSecondPerson } from '../domain/decision.ts'
import { nextState, type State } from '../domain/lifecycle.ts'
import { Problem } from '../domain/problem.ts'
import { remediesOf } from '../domain/refusal.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { lockRequest, renewVersion } from '../requests/apply-event.ts'
import { openPause } from '../requests/clock-ledger.store.ts'
import {
  findDecision,
  insertDecision,
  makeEffective,
  type StoredDecision,
  supersedeProposal,
} from '../requests/decisions.store.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import { isReserved } from '../requests/reserved.store.ts'
import { type CarryOutDeps, carryOut } from './carry-out-decision.ts'
import { checkRefusal } from './refusable.ts'

/**
 * Decides on a request, on the record and with the letter that tells the person of it. What takes two people is proposed and waits
 * for the second; it takes the place of what was proposed before.
 * @throws Problem `not_allowed`, `illegal_transition`, `unprocessable`
 */
export async function decide(
  deps: CarryOutDeps,
  tx: Tx,
  requestId: string,
  decision: Decision,
  caller: Caller,
): Promise<StoredDecision> {
  const request = await lockRequest(tx, requestId)
  const twoPeople = needsSecondPerson(decision) || isReserved(request)
  await refuseOwnCase(deps, tx, request, caller, { twoPeople })
  await refuseUntimely(tx, request, decision)
  if (decision.kind !== 'approve') await checkRefusal(deps, tx, request, decision)

  const by = toActor(caller)
  const stored = asStored(deps, request, decision, { decidedBy: by.id, twoPeople })
  const superseded = await supersedeProposal(tx, requestId)
  if (superseded) await deps.record(tx, requestStream(requestId), by, 'proposal_superseded', { decision: superseded })
  await insertDecision(deps, tx, stored)
  if (twoPeople) {
    await deps.record(tx, requestStream(requestId), by, 'decision_proposed', factsOf(stored))
    await renewVersion(tx, requestId)
  } else await carryOut(deps, tx, stored, by)
  return stored
}

/**
 * The second person makes a proposal effective.
 * @throws Problem `second_person_needed` for whoever proposed it, `illegal_transition` when it waits for nobody or comes too late
 */
export async function approveDecision(
  deps: CarryOutDeps,
  tx: Tx,
  requestId: string,
  id: string,
  caller: Caller,
): Promise<StoredDecision> {
  const request = await lockRequest(tx, requestId)
  const proposal = await findDecision(deps, tx, requestId, id)
  if (!proposal) throw new Problem('not_found')
  if (proposal.state !== 'proposed') throw new Problem('illegal_transition', `This decision is ${proposal.state}.`)
  requireSecondPerson(proposal.decidedBy, caller)
  await refuseOwnCase(deps, tx, request, caller, { twoPeople: true })
  await refuseUntimely(tx, request, proposal)

  const by = toActor(caller)
  const approved = { state: 'effective' as const, approvedBy: by.id, approvedAt: deps.clock.now() }
  await makeEffective(tx, id, { id: by.id, at: approved.approvedAt })
  await deps.record(tx, requestStream(requestId), by, 'decision_approved', factsOf(proposal))
  const effective = { ...proposal, ...approved }
  await carryOut(deps, tx, effective, by)
  return effective
}

const UNTIL_ASKED: ReadonlySet<State> = new Set(['verifying', 'assessing', 'cooling_off'])

/** @throws Problem `illegal_transition` for what cannot be decided any more, or not yet */
async function refuseUntimely(tx: Tx, { id, right, state }: DsarRequest, { kind }: { kind: Decision['kind'] }): Promise<void> {
  if (kind !== 'approve') nextState(state, 'refused', right)
  if (kind === 'refuse_partly' && !UNTIL_ASKED.has(state))
    throw new Problem('illegal_transition', 'Parts are refused before anybody is asked for them.')
  if (kind === 'fee_notice' && state !== 'verifying' && state !== 'assessing')
    throw new Problem('illegal_transition', 'A fee is announced before the work begins.')
  if (kind === 'refuse' && right === 'rectification' && (await isCorrected(tx, id)))
    throw new Problem('illegal_transition', 'Some of it has been corrected, or is being corrected.')
  const fee = await openPause(tx, id, 'fee')
  if (fee && (kind === 'approve' || kind === 'fee_notice'))
    throw new Problem('illegal_transition', 'The person was told of a fee and has not answered yet.')
}

/** Whether any adapter has said that it corrected something, or has been told to and has not said. */
async function isCorrected(tx: Tx, id: string): Promise<boolean> {
  const found = await tx.query<unknown[]>(
    `SELECT 1 FROM task WHERE request_id = $1 AND action = 'rectify' AND (state IN ('running', 'accepted')
       OR state = 'done' AND answer ->> 'status' = 'answered' AND answer -> 'datasets' @> '[{"outcome": "completed"}]') LIMIT 1`,
    [id],
  )
  return found.length > 0
}

const factsOf = ({ id, kind, ground }: StoredDecision) => ({ decision: id, kind, ...(ground && { ground }) })

/** What is kept of a decision: with the remedies of the policy, which nobody can give or leave out. */
function asStored(
  deps: CarryOutDeps,
  request: DsarRequest,
  decision: Decision,
  { decidedBy, twoPeople }: { decidedBy: string; twoPeople: boolean },
): StoredDecision {
  const { kind } = decision
  const said = kind === 'approve' ? undefined : decision
  return {
    id: randomUUIDv7(),
    requestId: request.id,
    kind,
    state: twoPeople ? 'proposed' : 'effective',
    ground: said?.ground ?? null,
    citation: (said && 'citation' in said && said.citation) || null,
    parts: kind === 'refuse_partly' ? decision.parts : null,
    fee: kind === 'fee_notice' ? { amount: decision.amount, currency: decision.currency } : null,
    remedies: said ? remediesOf(deps.policy.supervisoryAuthority) : null,
    reasons: said?.reasons ?? null,
    evidence: said?.evidence ?? null,
    policyVersion: deps.policy.version,
    decidedBy,
    decidedAt: deps.clock.now(),
    approvedBy: null,
    approvedAt: null,
  }
}
