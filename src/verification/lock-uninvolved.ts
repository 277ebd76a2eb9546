import type { Caller } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { hasAsked } from '../requests/requester.store.ts'

/** The request, for this transaction alone, for somebody who has no part in it: neither person nor requester, nor who opened it. */
export async function lockUninvolved(deps: IdentityDeps, tx: Tx, requestId: string, caller: Caller): Promise<DsarRequest> {
  const request = await lockRequest(tx, requestId)
  await refuseOwnCase(deps, tx, request, caller, { twoPeople: true })
  if (caller.kind === 'support_agent' && (await hasAsked(deps, tx, requestId, caller.subject)))
    throw new Problem('not_allowed', 'Nobody decides on their own mandate.')
  if (request.closedAt) throw new Problem('illegal_transition', `The request is '${request.state}'.`)
  return request
}
