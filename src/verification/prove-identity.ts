import { type Assertion, type AssuranceDeps, assertionProof, loginProof } from '../auth/assurance.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { loginMinutes } from '../policy/ladder.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { recordProof } from '../requests/record-proof.ts'
import { isDataSubject, visibleRequest } from '../requests/visible-request.ts'
import { useCode } from './check-code.ts'
import { noteWhatIsSaid, type Said } from './prove-requester.ts'
import { requireUnproven } from './require-unproven.ts'

type Deps = CaseDeps & IdentityDeps & AssuranceDeps

/** A typed code as proof of control over a contact point on file. @throws Problem `proof_refused`, `illegal_transition`, `unprocessable` */
export async function proveByCode(
  deps: Deps,
  tx: Tx,
  requestId: string,
  challengeId: string,
  said: Said,
  caller: Caller,
): Promise<DsarRequest> {
  const request = await requireUnproven(tx, requestId)
  const now = deps.clock.now()
  await useCode(tx, challengeId, now)
  await noteWhatIsSaid(deps, tx, request, said, caller)
  const { level } = deps.policy.assurance.methods.email_code
  return recordProof(deps, tx, requestId, { method: 'email_code', level, provenAt: now }, toActor(caller), { challengeId })
}

/** A fresh login of the person the request is about. @throws Problem `not_found`, `step_up_required`, `illegal_transition` */
export async function proveByLogin(deps: Deps, tx: Tx, requestId: string, said: Said, caller: Caller): Promise<DsarRequest> {
  await visibleRequest(deps, tx, requestId, caller)
  const request = await requireUnproven(tx, requestId)
  const { right } = request
  const proof = loginProof(deps, right, caller)
  if (!proof || !(await isDataSubject(deps, tx, requestId, caller)))
    throw new Problem(
      'step_up_required',
      `Log in again, as the person the request is about, and come back within ${loginMinutes(deps.policy.assurance, right)} minutes.`,
    )
  await noteWhatIsSaid(deps, tx, request, said, caller)
  return recordProof(deps, tx, requestId, proof, toActor(caller))
}

/** What a service vouches for, on a request that it opened. @throws Problem `not_found`, `unprocessable`, `illegal_transition` */
export async function proveByAssertion(
  deps: Deps,
  tx: Tx,
  requestId: string,
  assertion: Assertion,
  caller: Caller,
): Promise<DsarRequest> {
  await visibleRequest(deps, tx, requestId, caller)
  const { assuranceNeeded } = await requireUnproven(tx, requestId)
  const proof = assertionProof(deps, caller, assertion)
  if (proof.level >= assuranceNeeded) await vouchForNamed(tx, requestId)
  return recordProof(deps, tx, requestId, proof, toActor(caller), { assertedMethod: assertion.method })
}

/** The service says that whom it named is the one it has verified, as when it says so on opening. */
async function vouchForNamed(tx: Tx, requestId: string): Promise<void> {
  await tx.query(`UPDATE request_identity SET provenance = 'asserted' WHERE request_id = $1 AND provenance = 'named'`, [
    requestId,
  ])
}
