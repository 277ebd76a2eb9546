import type { Caller } from '../auth/caller.ts'
import { toActor } from '../auth/caller.ts'
import type { State } from '../domain/lifecycle.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest } from './apply-event.ts'
import type { IdentityDeps } from './identities.store.ts'
import { isReserved } from './reserved.store.ts'
import { isDataSubject, visibleAs, visibleRequest } from './visible-request.ts'

type Deps = CaseDeps & IdentityDeps

/**
 * The person takes the request back, until the answer has been handed over. Whoever opened it in their own name can,
 * and so can whoever it was established to be about; a report only whoever made it, or everybody could end those about themself.
 */
export async function withdrawRequest(deps: Deps, tx: Tx, id: string, caller: Caller): Promise<DsarRequest> {
  const { request } = await visibleAs(deps, tx, id, caller)
  const isReport = request.relationship === 'reporter'
  const theirs = caller.kind === 'portal' && !isReport && (await isDataSubject(deps, tx, id, caller))
  if (!theirs && request.openedBy !== caller.id)
    throw new Problem('not_allowed', isReport ? 'Write a message if the report is wrong: somebody will look at it.' : undefined)
  if (isReport && !TAKEN_BACK_UNTIL.has((await lockRequest(tx, id)).state))
    throw new Problem('illegal_transition', 'It can no longer be taken back.') // and why would tell what came of it
  return applyEvent(deps, tx, id, 'withdrawn', toActor(caller))
}

const TAKEN_BACK_UNTIL: ReadonlySet<State> = new Set(['received', 'verifying', 'assessing', 'cooling_off'])

/** Staff end a request that should not go on, unless it is reserved: there two people have to refuse it. The reason is a code, because the record bears no free text about people. */
export async function cancelRequest(deps: Deps, tx: Tx, id: string, reason: CancelReason, caller: Caller): Promise<DsarRequest> {
  if (isReserved(await visibleRequest(deps, tx, id, caller)))
    throw new Problem('not_allowed', 'A request about a VIP or a colleague is ended by a decision of two people.')
  return applyEvent(deps, tx, id, 'cancelled', toActor(caller), { reason })
}

/** Why staff end a request. There is another reason that nobody chooses: `repudiated`. */
export const CANCEL_REASONS = ['opened_by_mistake', 'duplicate', 'not_our_data', 'test_request'] as const
export type CancelReason = (typeof CANCEL_REASONS)[number]
