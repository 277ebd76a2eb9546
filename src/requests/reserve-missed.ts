import { system } from '../domain/actor.ts'
import type { RESERVED } from '../domain/lifecycle.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import { type CaseDeps, setFlag } from './apply-event.ts'

const BY = system('reserve')

/**
 * Reserves what nobody reserved: a case that came in, or whose person was found, in the same moment in which they were listed. Neither
 * of the two transactions saw the other.
 */
export async function reserveMissed(deps: CaseDeps & { transact: Transact; read: Tx }): Promise<void> {
  const missed = await deps.read.query<{ id: string; flag: (typeof RESERVED)[number] }[]>(
    `SELECT r.id, 'vip' AS flag FROM vip_identity JOIN request_identity i USING (value_index) JOIN dsar_request r ON r.id = i.request_id
     WHERE NOT 'vip' = ANY(r.flags)
     UNION
     SELECT r.id, 'staff_subject' FROM staff_member JOIN request_identity i USING (value_index) JOIN dsar_request r ON r.id = i.request_id
     WHERE NOT 'staff_subject' = ANY(r.flags) ORDER BY id`,
  )
  await eachInTurn(missed, ({ id, flag }) => deps.transact(tx => setFlag(deps, tx, id, flag, true, BY)))
}
