import type { Caller } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type IdentityDeps, identityIndexes } from './identities.store.ts'

/**
 * Nobody decides on a request that is about themself, whoever established that; and where two people are needed, neither may
 * be the one who opened it: else one person would be two of them.
 * @throws Problem `not_allowed`, `second_person_needed`
 */
export async function refuseOwnCase(
  deps: IdentityDeps,
  tx: Tx,
  request: Pick<DsarRequest, 'id' | 'openedBy'>,
  caller: Caller,
  { twoPeople = false } = {},
): Promise<void> {
  if (caller.kind !== 'support_agent') throw new Problem('not_allowed')
  if (twoPeople) requireSecondPerson(request.openedBy, caller, 'Whoever opened the request cannot be one of the two.')
  const about = await tx.query<unknown[]>('SELECT 1 FROM request_identity WHERE request_id = $1 AND value_index = ANY($2)', [
    request.id,
    identityIndexes(deps, { type: 'user_id', value: caller.subject }),
  ])
  if (about.length > 0) throw new Problem('not_allowed', 'Nobody decides on a request about themself.')
}
