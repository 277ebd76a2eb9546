import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import type { Mandate } from '../domain/mandate.ts'
import { Problem } from '../domain/problem.ts'
import type { MandateRevocation } from '../domain/representation.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest, renewVersion, setFlag, voidProofs } from '../requests/apply-event.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { mandatesOf, saveRevocation } from '../requests/mandates.store.ts'
import { lacksPower } from '../requests/power.ts'
import { revokeCodes } from '../verification/challenges.store.ts'
import { revokeLinks } from './links.store.ts'

/**
 * Takes back the power that a mandate gave, as whoever gave it can at any time. One officer is enough, because it only stops: nobody is asked
 * for content any more, and no code, link or download that was on its way works. Unless another mandate is in force, an open request waits
 * for one. @throws Problem `not_found`, `not_allowed`, `illegal_transition` for one that gives no power
 */
export async function revokeMandate(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  requestId: string,
  { id, reason }: { id: string; reason: MandateRevocation },
  caller: Caller,
): Promise<Mandate> {
  const request = await lockRequest(tx, requestId)
  await refuseOwnCase(deps, tx, request, caller)
  const mandate = (await mandatesOf(deps, tx, requestId)).find(one => one.id === id)
  if (!mandate) throw new Problem('not_found')
  if (mandate.decision !== 'approved' || mandate.revokedAt)
    throw new Problem('illegal_transition', 'It gives no power that could be taken back.')
  const [by, now] = [toActor(caller), deps.clock.now()]
  const revoked = { ...mandate, revokedBy: by.id, revokedAt: now }
  await saveRevocation(tx, revoked)
  await deps.record(tx, requestStream(requestId), by, 'mandate_revoked', { mandate: id, reason })
  await revokeCodes(tx, requestId, now)
  await revokeLinks(tx, requestId, now)
  if (request.closedAt === null) {
    await voidProofs(deps, tx, requestId)
    await setFlag(deps, tx, requestId, 'mandate_needed', await lacksPower(deps, tx, request), by)
    await deps.enqueue(tx, 'weigh-identity', { requestId })
  }
  await renewVersion(tx, requestId)
  return revoked
}
