import { requestStream } from '../audit/record.ts'
import type { AssuranceDeps } from '../auth/assurance.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { recordProof } from '../requests/record-proof.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { requireUnproven } from './require-unproven.ts'
import { checksOf, insertCheck, type SupportCheck, settleCheck } from './support-checks.store.ts'

type Deps = CaseDeps & IdentityDeps & AssuranceDeps
type Found = Pick<SupportCheck, 'facts' | 'documentSeen'>

/**
 * A first support agent says by which kinds of facts somebody showed who they are. It proves nothing yet.
 * @throws Problem `unprocessable` for facts that the policy does not ask about, or too few of them; `illegal_transition`
 */
export async function checkBySupport(deps: Deps, tx: Tx, requestId: string, found: Found, caller: Caller): Promise<SupportCheck> {
  await visibleRequest(deps, tx, requestId, caller)
  await refuseOwnCase(deps, tx, await requireUnproven(tx, requestId), caller)
  const { facts, atLeast } = deps.policy.assurance.methods.support_check
  const unknown = found.facts.findIndex(fact => !facts.includes(fact))
  if (unknown >= 0) throw wrong(`/facts/${unknown}`, `One of ${facts.join(', ')}.`)
  if (found.facts.length < atLeast) throw wrong('/facts', `It takes ${atLeast} different kinds of facts, document or not.`)
  const by = toActor(caller)
  const check = await insertCheck(tx, requestId, { ...found, checkedBy: by.id, checkedAt: deps.clock.now() })
  await deps.record(tx, requestStream(requestId), by, 'support_check_proposed', factsOf(check))
  return check
}

/**
 * A second support agent, who neither made the first finding nor opened the request, agrees, which is the proof, or does not.
 * @throws Problem `not_found`, `second_person_needed`, `not_allowed`, `illegal_transition` also when it waited too long
 */
export async function settleBySecond(
  deps: Deps,
  tx: Tx,
  requestId: string,
  n: number,
  state: 'agreed' | 'rejected',
  caller: Caller,
): Promise<SupportCheck> {
  await visibleRequest(deps, tx, requestId, caller)
  const request = await requireUnproven(tx, requestId)
  const check = (await checksOf(tx, requestId)).find(one => one.n === n)
  if (!check) throw new Problem('not_found')
  if (check.state !== 'proposed') throw new Problem('illegal_transition', `This check is ${check.state}.`)
  requireSecondPerson(check.checkedBy, caller)
  await refuseOwnCase(deps, tx, request, caller, { twoPeople: true })
  const { level, freshMinutes } = deps.policy.assurance.methods.support_check
  const now = deps.clock.now()
  if (state === 'agreed' && now.getTime() - check.checkedAt.getTime() > freshMinutes * 60_000)
    throw new Problem('illegal_transition', `The first finding is older than ${freshMinutes} minutes: ask the person again.`)
  const by = toActor(caller)
  const settled = await settleCheck(tx, requestId, n, { state, by: by.id, at: now })
  if (state === 'agreed')
    await recordProof(deps, tx, requestId, { method: 'support_check', level, provenAt: now }, by, { check: String(n) })
  else await deps.record(tx, requestStream(requestId), by, 'support_check_rejected', factsOf(check))
  return settled
}

const factsOf = ({ n, facts, documentSeen }: SupportCheck) => ({ check: n, facts, ...(documentSeen && { documentSeen }) })

const wrong = (pointer: string, detail: string) => new Problem('unprocessable', undefined, { errors: [{ pointer, detail }] })
