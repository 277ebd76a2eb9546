import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { powerOf } from '../requests/power.ts'
import { saveDeliveryAgreed, saveProven } from '../requests/requester.store.ts'
import { useCode } from './check-code.ts'
import { requireUnproven } from './require-unproven.ts'

/** What the person says beside showing who they are: that the answer is to go to whoever acts for them. */
export interface Said {
  deliverToRequester?: boolean
}

/** A typed code shows that the address is that of whoever acts for the person. It says nothing of the person. @throws Problem */
export async function proveRequester(
  deps: CaseDeps,
  tx: Tx,
  requestId: string,
  challengeId: string,
  caller: Caller,
): Promise<DsarRequest> {
  const request = await requireUnproven(tx, requestId)
  const now = deps.clock.now()
  await useCode(tx, challengeId, now)
  await saveProven(tx, requestId, now)
  await deps.record(tx, requestStream(requestId), toActor(caller), 'requester_reached', { challengeId })
  await deps.enqueue(tx, 'weigh-identity', { requestId })
  return request
}

/** Notes what the person wants of the answer. @throws Problem `unprocessable` where nobody asked to have it in their place */
export async function noteWhatIsSaid(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  request: DsarRequest,
  { deliverToRequester }: Said,
  caller: Caller,
): Promise<void> {
  if (!deliverToRequester) return
  if (!(await powerOf(deps, tx, request))?.mayBeAllowed)
    throw new Problem('unprocessable', undefined, {
      errors: [{ pointer: '/deliverToRequester', detail: 'Nobody asked to have the answer in the place of the person.' }],
    })
  await saveDeliveryAgreed(tx, request.id, deps.clock.now())
  await deps.record(tx, requestStream(request.id), toActor(caller), 'delivery_allowed')
}
