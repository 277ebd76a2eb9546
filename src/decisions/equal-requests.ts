import type { EarlierRequest } from '../domain/excess.ts'
import { receiptOf } from '../domain/receipt.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type IdentityDeps, identitiesOf, identityIndexes } from '../requests/identities.store.ts'

/**
 * The requests for the same right that came before this one, are established to be the same person's, and were answered: asking
 * again for what was never answered repeats nothing (EDPB Guidelines 01/2022 §29).
 */
export async function equalRequestsBefore(
  deps: IdentityDeps & { timeZone: string },
  tx: Tx,
  { id, right, receivedAt }: DsarRequest,
): Promise<EarlierRequest[]> {
  const identities = await identitiesOf(deps, tx, id)
  const rows = await tx.query<{ id: string; receivedAt: Date; timeZone: string }[]>(
    `SELECT id, received_at AS "receivedAt", time_zone AS "timeZone" FROM dsar_request
     WHERE id = ANY(ARRAY(SELECT request_id FROM request_identity WHERE value_index = ANY($1) AND provenance <> 'named'))
     AND "right" = $2 AND id <> $3 AND received_at <= $4 AND state IN ('completed', 'refused') ORDER BY received_at`,
    [identities.flatMap(identity => identityIndexes(deps, identity)), right, id, receivedAt],
  )
  return rows.map(row => ({ id: row.id, receivedOn: receiptOf(row.receivedAt, [row.timeZone, deps.timeZone]).receivedOn }))
}
