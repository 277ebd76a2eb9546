import { act } from '../auth/act.ts'
import type { Caller } from '../auth/caller.ts'
import { requireMatch } from '../auth/require-match.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database, Tx } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import { lockRequest } from './apply-event.ts'
import { type IdentityDeps, identitiesOf } from './identities.store.ts'
import { viewRequest } from './request-view.ts'
import { visibleRequest } from './visible-request.ts'

/** The problems of what staff do to a request as they have read it. */
export const OF_AN_ACT = [
  ...(['not_found', 'illegal_transition', 'unprocessable', 'stale', 'precondition_required'] as const),
  ...(['key_reused', 'in_progress'] as const),
] as const

type ActDeps = Parameters<typeof act>[0] & IdentityDeps & Database & { clock: Clock }

/** `act`, on a request that the caller sees and that is as they have read it. @throws Problem `not_found`, `stale`, `precondition_required` */
export const actOnRequest = (
  deps: ActDeps,
  req: Parameters<typeof act>[1],
  reply: Parameters<typeof act>[2],
  id: string,
  work: (tx: Tx) => Promise<StoredAnswer>,
): Promise<void> =>
  act(deps, req, reply, async tx => {
    await visibleRequest(deps, tx, id, req.caller)
    requireMatch(req, (await lockRequest(tx, id)).version)
    return work(tx)
  })

/** The request as it is now, for an answer. */
export async function asItIs(deps: IdentityDeps, tx: Tx, request: DsarRequest, caller: Caller): Promise<StoredAnswer> {
  const body = viewRequest(request, await identitiesOf(deps, tx, request.id), caller)
  return { status: 200, headers: { etag: etagOf(request.version) }, body }
}
