import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { type IdentityDeps, identitiesOf, identityIndexes } from './identities.store.ts'

/**
 * The condition under which a legal hold forbids to erase anything for `r` (dsar_request); `now` is SQL for the present moment,
 * such as `now()` or `$2`. For the last gate, where nothing can be opened: holds are kept under every key there was, so one placed
 * after the request knew its identities is always seen here; one placed before, and before a rotation of keys, by `heldBy` alone.
 */
export const isHeld = (now: string): string =>
  `EXISTS (SELECT FROM request_identity held JOIN legal_hold_identity USING (value_index) JOIN legal_hold h ON h.id = hold_id
     WHERE held.request_id = r.id AND h.holds_until > ${now})`

/**
 * The legal holds that forbid to erase anything for a request: on any identity it knows, hearsay included. With `since` also those
 * that have ended after that moment.
 */
export async function heldBy(
  deps: IdentityDeps & { clock: Clock },
  tx: Tx,
  requestId: string,
  since = deps.clock.now(),
): Promise<string[]> {
  const identities = await identitiesOf(deps, tx, requestId)
  const holds = await tx.query<{ id: string }[]>(
    `SELECT DISTINCT h.id FROM legal_hold h JOIN legal_hold_identity i ON i.hold_id = h.id
     WHERE i.value_index = ANY($1) AND h.holds_until > $2 ORDER BY h.id`,
    [identities.flatMap(identity => identityIndexes(deps, identity)), since],
  )
  return holds.map(({ id }) => id)
}
