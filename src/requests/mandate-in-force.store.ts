import type { Day } from '../domain/day.ts'
import type { Mandate } from '../domain/mandate.ts'
import type { Tx } from '../platform/database.ts'

/** The newest power that two people took for one and that is valid on this day. */
export async function mandateInForce(
  tx: Tx,
  requestId: string,
  today: Day,
): Promise<Pick<Mandate, 'voice' | 'delivery'> | undefined> {
  const [found] = await tx.query<Pick<Mandate, 'voice' | 'delivery'>[]>(
    `SELECT voice, delivery FROM mandate WHERE request_id = $1 AND decision = 'approved' AND revoked_at IS NULL AND coalesce(valid_until >= $2, true)
     ORDER BY decided_at DESC, id DESC LIMIT 1`,
    [requestId, today],
  )
  return found
}

/** The condition under which `r` (dsar_request) is asked by whoever may ask: for the last gate before content. */
export const isAskedWithPower = `(r.relationship IN ('self', 'reporter')
  OR EXISTS (SELECT FROM mandate m WHERE m.request_id = r.id AND m.decision = 'approved' AND m.revoked_at IS NULL))`
