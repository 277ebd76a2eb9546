import type { Caller } from '../auth/caller.ts'
import { toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps } from './apply-event.ts'
import type { IdentityDeps } from './identities.store.ts'
import { isDataSubject, visibleRequest } from './visible-request.ts'

type Deps = CaseDeps & IdentityDeps

/**
 * The person takes the request back, until the answer has been handed over. Whoever opened it in their own name can,
 * and so can whoever it was established to be about.
 */
export async function withdrawRequest(deps: Deps, tx: Tx, id: string, caller: Caller): Promise<DsarRequest> {
  const request = await visibleRequest(deps, tx, id, caller)
  const theirs = caller.kind === 'portal' && (request.openedBy === caller.id || (await isDataSubject(deps, tx, id, caller)))
  if (!theirs && request.openedBy !== caller.id) throw new Problem('not_allowed')
  return applyEvent(deps, tx, id, 'withdrawn', toActor(caller))
}

/** Staff end a request that should not go on; the reason is a code, because the record bears no free text about people. */
export async function cancelRequest(deps: Deps, tx: Tx, id: string, reason: CancelReason, caller: Caller): Promise<DsarRequest> {
  await visibleRequest(deps, tx, id, caller)
  return applyEvent(deps, tx, id, 'cancelled', toActor(caller), { reason })
}

export const CANCEL_REASONS = ['opened_by_mistake', 'duplicate', 'not_our_data', 'test_request'] as const
export type CancelReason = (typeof CANCEL_REASONS)[number]
