import type { Caller } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { getRequest, lockRequest } from './apply-event.ts'
import { refuseOwnCase } from './four-eyes.ts'
import { type Identity, type IdentityDeps, identitiesOf, identityIndex } from './identities.store.ts'
import { isDataSubject } from './visible-request.ts'

/** Ends that left the restriction as it was. */
const IN_VAIN = ['refused', 'lapsed', 'withdrawn', 'cancelled']

/**
 * The restriction that is to be lifted, locked, so that of two who would lift it one comes second. The person themself may end
 * it, the service that asked for it, and those of the staff who decide: the controller may when its ground is over (Art. 18(3)).
 * @throws Problem `unprocessable`, the same for what is no completed restriction and for somebody else's; `already_exists`
 */
export async function restrictionToLift(
  deps: IdentityDeps,
  tx: Tx,
  lifts: string,
  named: readonly Identity[],
  caller: Caller,
): Promise<DsarRequest> {
  const found = await getRequest(tx, lifts)
  const is = found?.right === 'restriction' && found.parentId === null && found.state === 'completed'
  if (!is || !(await mayLift(deps, tx, found, caller)) || !(await isOf(deps, tx, lifts, named)))
    throw new Problem('unprocessable', undefined, {
      errors: [{ pointer: '/details/lifts', detail: 'This is no restriction of this person that is in force.' }],
    })
  const restriction = await lockRequest(tx, lifts)
  const others = await tx.query<unknown[]>(
    `SELECT 1 FROM dsar_request WHERE parent_id = $1 AND "right" = 'restriction' AND state <> ALL($2)`,
    [lifts, IN_VAIN],
  )
  if (others.length > 0) throw new Problem('already_exists', 'It has been lifted, or is about to be.')
  return restriction
}

async function mayLift(deps: IdentityDeps, tx: Tx, restriction: DsarRequest, caller: Caller): Promise<boolean> {
  if (caller.kind === 'portal') return isDataSubject(deps, tx, restriction.id, caller)
  if (caller.kind === 'service') return restriction.openedBy === caller.id
  if (caller.kind === 'anonymous') return false
  if (!caller.roles.has('privacy_officer') && !caller.roles.has('dpo')) throw new Problem('not_allowed')
  await refuseOwnCase(deps, tx, restriction, caller)
  return true
}

/** Whoever names the person names the one of the restriction. */
async function isOf(deps: IdentityDeps, tx: Tx, requestId: string, named: readonly Identity[]): Promise<boolean> {
  const known = (await identitiesOf(deps, tx, requestId)).filter(({ provenance }) => provenance !== 'named')
  const indexes = new Set(known.map(identity => identityIndex(deps, identity).toString('hex')))
  return named.every(identity => indexes.has(identityIndex(deps, identity).toString('hex')))
}
