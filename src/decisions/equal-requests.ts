import { isDeepStrictEqual } from 'node:util'
import type { EarlierRequest } from '../domain/excess.ts'
import { receiptOf } from '../domain/receipt.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type DetailsDeps, givenDetails } from '../requests/details.ts'
import { type IdentityDeps, identitiesOf, identityIndexes } from '../requests/identities.store.ts'

interface EqualDeps extends Omit<IdentityDeps, 'vault'> {
  vault: IdentityDeps['vault'] & DetailsDeps['vault']
  /** Of the controller. */
  timeZone: string
}

/**
 * The requests for the same that came before this one, are established to be the same person's, and were answered: asking again
 * for what was never answered repeats nothing, nor does asking for more, or for something else (EDPB Guidelines 01/2022 §28-31).
 */
export async function equalRequestsBefore(
  deps: EqualDeps,
  tx: Tx,
  { id, right, receivedAt, scope }: DsarRequest,
): Promise<EarlierRequest[]> {
  const identities = await identitiesOf(deps, tx, id)
  const rows = await tx.query<Pick<DsarRequest, 'id' | 'receivedAt' | 'timeZone' | 'scope'>[]>(
    `SELECT id, received_at AS "receivedAt", time_zone AS "timeZone", scope FROM dsar_request
     WHERE id = ANY(ARRAY(SELECT request_id FROM request_identity WHERE value_index = ANY($1) AND provenance <> 'named'))
     AND "right" = $2 AND id <> $3 AND received_at <= $4 AND state IN ('completed', 'refused') ORDER BY received_at`,
    [identities.flatMap(identity => identityIndexes(deps, identity)), right, id, receivedAt],
  )
  const details = await givenDetails(deps, tx, id)
  const equal: EarlierRequest[] = []
  for (const row of rows)
    if (covers(row.scope, scope) && isDeepStrictEqual(await givenDetails(deps, tx, row.id), details))
      equal.push({ id: row.id, receivedOn: receiptOf(row.receivedAt, [row.timeZone, deps.timeZone]).receivedOn })
  return equal
}

/** Whether all that is asked for now was asked for then. */
const covers = ({ categories: then }: DsarRequest['scope'], { categories: now }: DsarRequest['scope']): boolean =>
  then === undefined || (now?.every(category => then.includes(category)) ?? false)
