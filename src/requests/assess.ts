import type { Facts } from '../audit/record.ts'
import { type Actor, system } from '../domain/actor.ts'
import { type CoolingOff, coolingOffEnds } from '../domain/cooling-off.ts'
import { type Details, isAbsolute } from '../domain/details.ts'
import { Problem } from '../domain/problem.ts'
import { awaitsProof, type DsarRequest } from '../domain/request.ts'
import { type Right, rightFacts } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, lockRequest, setFlag, startCoolingOff } from './apply-event.ts'
import { openPause } from './clock-ledger.store.ts'
import { detailsOf } from './details.ts'
import { applyFreeze, type FreezeDeps } from './freeze.ts'
import { type LastMomentDeps, lastMomentOf } from './last-moment.ts'
import { markSubject } from './marks.store.ts'
import { lacksPower } from './power.ts'
import { isReserved } from './reserved.store.ts'
import { type SplitDeps, splitObjection } from './split-objection.ts'
import { weighReport } from './weigh-report.ts'

export interface AssessDeps extends SplitDeps, LastMomentDeps, Omit<FreezeDeps, 'vault' | 'policy'> {
  policy: SplitDeps['policy'] & FreezeDeps['policy']
  coolingOff: CoolingOff
  /** Whether those who know people have said lately who a request is about; else they are asked again, and have it go on. */
  isResolvedLately(tx: Tx, request: DsarRequest): Promise<boolean>
  /** Legal holds on the person, whose data nobody may erase or change meanwhile. */
  heldBy(tx: Tx, requestId: string): Promise<string[]>
}

const BY = system('policy')

/** Lets go on at once what needs nobody's judgement, split off if need be, and shows the rest to those who judge. */
export async function assess(deps: AssessDeps, tx: Tx, requestId: string): Promise<void> {
  const request = await lockRequest(tx, requestId)
  if (request.state !== 'assessing') return
  const marketing = await splitObjection(deps, tx, request)
  if (marketing) await assess(deps, tx, marketing)
  if (await openPause(tx, requestId, 'fee')) return
  const details = await detailsOf(deps, tx, requestId)
  const worth = request.right === 'under_age_report' ? await weighReport(deps, tx, requestId) : 'first'
  if (worth === 'duplicate') {
    await applyEvent(deps, tx, requestId, 'cancelled', BY, { reason: 'duplicate' })
    return
  }
  if (request.right === 'objection' && details.purposes?.includes('marketing'))
    await markSubject(deps, tx, { requestId, kind: 'objected', of: 'marketing', at: deps.clock.now() })
  const held = await isHeld(deps, tx, request)
  if (held) await setFlag(deps, tx, requestId, 'on_hold', true, BY)
  if (held || worth === 'again' || needsJudgement(request, details) || takesTwo(deps, request))
    await setFlag(deps, tx, requestId, 'needs_decision', true, BY)
  else await proceed(deps, tx, requestId, BY)
}

/**
 * What people decide: whatever is not about data, and whether our grounds for going on outweigh an objection (Art. 21(1)). The
 * one to marketing is never weighed.
 */
const needsJudgement = (request: DsarRequest, details: Details): boolean =>
  rightFacts(request.right).decidedByPeople === true || !isAbsolute(request.right, details)

/** What could harm the person most does not go on by itself in a case about a VIP or a colleague: two officers decide. */
const takesTwo = ({ policy }: AssessDeps, request: DsarRequest): boolean =>
  isReserved(request) && policy.assurance.freeze.rights.includes(request.right)

/** Rights that change or remove what a hold keeps. */
export const TOUCHES_EVIDENCE: ReadonlySet<Right> = new Set<Right>(['erasure', 'rectification', 'under_age_report'])

export const isHeld = async (deps: Pick<AssessDeps, 'heldBy'>, tx: Tx, { id, right }: DsarRequest): Promise<boolean> =>
  TOUCHES_EVIDENCE.has(right) && (await deps.heldBy(tx, id)).length > 0

/** Whether it is still shown well enough who asks, before something is done that cannot be undone. Where it is not, it is asked for. */
export async function isStillTheirs(deps: AssessDeps, tx: Tx, requestId: string): Promise<boolean> {
  const request = await applyFreeze(deps, tx, requestId)
  return !(await lacksPower(deps, tx, request)) && (await deps.isResolvedLately(tx, request)) && !awaitsProof(request)
}

/**
 * Goes on with an approved request: at once, or after a time in which whoever did not ask can still say so.
 * @throws Problem `illegal_transition`, also while a legal hold forbids it or cooling off is not over
 */
export async function proceed(deps: AssessDeps, tx: Tx, requestId: string, by: Actor, facts: Facts = {}): Promise<DsarRequest> {
  const request = await lockRequest(tx, requestId)
  const now = deps.clock.now()
  if (await isHeld(deps, tx, request)) throw new Problem('illegal_transition', 'A legal hold forbids it until it is released.')
  if (rightFacts(request.right).decidedByPeople) throw new Problem('illegal_transition', 'It is answered, not approved.')
  await setFlag(deps, tx, requestId, 'on_hold', false, by)
  if (request.state === 'cooling_off') {
    if (request.coolsOffAt && request.coolsOffAt > now)
      throw new Problem('illegal_transition', `It cools off until ${request.coolsOffAt.toISOString()}.`)
    if (!(await isStillTheirs(deps, tx, requestId)))
      throw new Problem('illegal_transition', 'It waits for a stronger or newer proof of who asks, or for those who know people.')
    return applyEvent(deps, tx, requestId, 'cooled_off', by, facts)
  }
  const { lifts } = await detailsOf(deps, tx, requestId)
  // What we give back because a report came to nothing waits for nobody.
  const coolsOff = lifts ? request.openedByKind !== 'system' : rightFacts(request.right).coolsOff
  if (!coolsOff) return applyEvent(deps, tx, requestId, 'approved', by, facts)
  const dueAt = await lastMomentOf(deps, tx, request)
  return startCoolingOff(deps, tx, requestId, coolingOffEnds(deps.coolingOff, request.right, now, dueAt), by, facts)
}
