import type { Tx } from '../platform/database.ts'
import { type IdentityDeps, identitiesOf, identityIndexes } from './identities.store.ts'

/** For so long a report that came to nothing speaks against the next one about the same account. */
const REMEMBERED_DAYS = 180

/**
 * What a report that a child has an account is worth, for anybody can make one, again and again: `duplicate` while another about
 * the same account is being looked into, `again` when one has come to nothing lately: then nobody's account is stopped before
 * somebody has looked. Reports about one person are weighed one after the other.
 */
export async function weighReport(
  deps: IdentityDeps & { clock: { now(): Date } },
  tx: Tx,
  requestId: string,
): Promise<'first' | 'duplicate' | 'again'> {
  const known = (await identitiesOf(deps, tx, requestId)).filter(({ provenance }) => provenance !== 'named')
  const indexes = known.flatMap(identity => identityIndexes(deps, identity))
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended(one, 9)) FROM unnest($1::text[]) one', [
    indexes.map(index => index.toString('hex')).sort(),
  ])
  const [others] = await tx.query<[{ open: number; vain: number }]>(
    `SELECT count(*) FILTER (WHERE state IN ('cooling_off', 'fulfilling', 'delivering') OR state = 'assessing' AND id < $2) AS open,
            count(*) FILTER (WHERE (state = 'refused' OR state IN ('withdrawn', 'cancelled') AND cools_off_at IS NOT NULL)
              AND closed_at > $3::timestamptz - make_interval(days => $4)) AS vain
     FROM dsar_request WHERE "right" = 'under_age_report' AND id <> $2
     AND id = ANY(ARRAY(SELECT request_id FROM request_identity WHERE value_index = ANY($1) AND provenance <> 'named'))`,
    [indexes, requestId, deps.clock.now(), REMEMBERED_DAYS],
  )
  if (others.open > 0) return 'duplicate'
  return others.vain > 0 ? 'again' : 'first'
}
