import { type Assertion, type AssuranceDeps, assertionProof, loginProof } from '../auth/assurance.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { loginMinutes } from '../policy/ladder.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { recordProof } from '../requests/record-proof.ts'
import { isDataSubject, visibleRequest } from '../requests/visible-request.ts'
import { useCode } from './check-code.ts'

type Deps = CaseDeps & IdentityDeps & AssuranceDeps

/** A typed code as proof of control over a contact point on file. @throws Problem `proof_refused`, `illegal_transition` */
export async function proveByCode(
  deps: CaseDeps & AssuranceDeps,
  tx: Tx,
  requestId: string,
  challengeId: string,
  caller: Caller,
): Promise<DsarRequest> {
  await requireVerifying(tx, requestId)
  const now = deps.clock.now()
  await useCode(tx, challengeId, now)
  const { level } = deps.policy.assurance.methods.email_code
  return recordProof(deps, tx, requestId, { method: 'email_code', level, provenAt: now }, toActor(caller), { challengeId })
}

/** A fresh login of the person the request is about. @throws Problem `not_found`, `step_up_required`, `illegal_transition` */
export async function proveByLogin(deps: Deps, tx: Tx, requestId: string, caller: Caller): Promise<DsarRequest> {
  await visibleRequest(deps, tx, requestId, caller)
  const { right } = await requireVerifying(tx, requestId)
  const proof = loginProof(deps, right, caller)
  if (!proof || !(await isDataSubject(deps, tx, requestId, caller)))
    throw new Problem(
      'step_up_required',
      `Log in again, as the person the request is about, and come back within ${loginMinutes(deps.policy.assurance, right)} minutes.`,
    )
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
  const { assuranceNeeded } = await requireVerifying(tx, requestId)
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

/** @throws Problem `illegal_transition` */
export async function requireVerifying(tx: Tx, requestId: string): Promise<DsarRequest> {
  const request = await lockRequest(tx, requestId)
  if (request.state !== 'verifying')
    throw new Problem('illegal_transition', `A request that is '${request.state}' takes no further proof.`)
  return request
}
