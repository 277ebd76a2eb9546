import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'

/** What an officer made of it: somebody else had asked, the person had asked and did not know it, or nobody can tell. */
export const FINDINGS = ['somebody_else', 'their_own', 'unclear'] as const

/**
 * An officer has looked into a repudiation: it needs no more eyes. The freeze goes on to its end, because what the person said of it
 * stands until then. @throws Problem `not_allowed`, `illegal_transition`
 */
export async function reviewRepudiation(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  id: string,
  finding: (typeof FINDINGS)[number],
  caller: Caller,
): Promise<DsarRequest> {
  const request = await lockRequest(tx, id)
  await refuseOwnCase(deps, tx, request, caller)
  if (!request.flags.includes('repudiated')) throw new Problem('illegal_transition', 'There is no repudiation to be looked into.')
  const by = toActor(caller)
  await deps.record(tx, requestStream(id), by, 'repudiation_reviewed', { finding })
  await setFlag(deps, tx, id, 'repudiated', false, by)
  return lockRequest(tx, id)
}
