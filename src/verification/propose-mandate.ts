import { randomUUIDv7 } from 'node:crypto'
import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import type { Mandate } from '../domain/mandate.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, renewVersion } from '../requests/apply-event.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { insertMandate, mandatesOf } from '../requests/mandates.store.ts'
import { type GivenMandate, judgeMandate, type MandateRules } from './check-mandate.ts'
import { lockUninvolved } from './lock-uninvolved.ts'

export interface ProposeDeps extends CaseDeps, IdentityDeps {
  policy: MandateRules['policy']
}

/**
 * Notes that a document was seen that gives somebody the power to ask for the person. It moves nothing before a second person has looked
 * at it as well. @throws Problem `not_allowed`, `second_person_needed`, `unprocessable`, `illegal_transition`, `already_exists`
 */
export async function proposeMandate(
  deps: ProposeDeps,
  tx: Tx,
  requestId: string,
  given: GivenMandate,
  caller: Caller,
): Promise<Mandate> {
  const request = await lockUninvolved(deps, tx, requestId, caller)
  const { voice, delivery } = judgeMandate(deps, request, given)
  if ((await mandatesOf(deps, tx, requestId)).some(({ decision }) => decision === null))
    throw new Problem('already_exists', 'Another mandate waits to be decided on.')
  const { evidence, documentSha256, seenOn, validUntil = null, covers = null, reference } = given
  const document = { evidence, documentSha256, seenOn, validUntil, covers, voice, delivery }
  const by = toActor(caller)
  const mandate: Mandate = {
    id: randomUUIDv7(),
    requestId,
    ...document,
    reference,
    proposedBy: by.id,
    proposedAt: deps.clock.now(),
    decision: null,
    reason: null,
    decidedBy: null,
    decidedAt: null,
    revokedBy: null,
    revokedAt: null,
  }
  await insertMandate(deps, tx, mandate)
  await deps.record(tx, requestStream(requestId), by, 'mandate_proposed', { mandate: mandate.id, ...document })
  await renewVersion(tx, requestId)
  return mandate
}
