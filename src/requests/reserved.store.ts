import type { Caller } from '../auth/caller.ts'
import { type Actor, system } from '../domain/actor.ts'
import { type Flag, RESERVED } from '../domain/lifecycle.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, setFlag } from './apply-event.ts'
import { type Identity, type IdentityDeps, identityIndex, identityIndexes } from './identities.store.ts'

const BY = system('reserve')

/** Whether a case is for officers alone, because it is about a VIP or a colleague. */
export const isReserved = ({ flags }: { flags: readonly Flag[] }): boolean => RESERVED.some(flag => flags.includes(flag))

/** Reserves a case that turns out to be about a VIP or a colleague; in the transaction that keeps these identities of it. */
export async function reserve(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  requestId: string,
  identities: readonly Identity[],
  by: Actor,
): Promise<void> {
  const [found] = await tx.query<{ vip: boolean; staff: boolean }[]>(
    `SELECT EXISTS (SELECT FROM vip_identity WHERE value_index = ANY($1)) AS vip,
            EXISTS (SELECT FROM staff_member WHERE value_index = ANY($1)) AS staff`,
    [identities.flatMap(identity => identityIndexes(deps, identity))],
  )
  if (found?.vip) await setFlag(deps, tx, requestId, 'vip', true, by)
  if (found?.staff) await setFlag(deps, tx, requestId, 'staff_subject', true, by)
}

/** Reserves every case, open or not, that is about any of these identities, whoever established that. */
export async function reserveCasesOf(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  identities: readonly Identity[],
  flag: (typeof RESERVED)[number],
): Promise<void> {
  const cases = await tx.query<{ id: string }[]>(
    'SELECT DISTINCT request_id AS id FROM request_identity WHERE value_index = ANY($1) ORDER BY 1',
    [identities.flatMap(identity => identityIndexes(deps, identity))],
  )
  for (const { id } of cases) await setFlag(deps, tx, id, flag, true, BY)
}

/** Notes that somebody works here, when they come for the first time: whoever is our user as well is known as a colleague from then on. */
export async function noteColleague(deps: CaseDeps & IdentityDeps, tx: Tx, caller: Caller): Promise<void> {
  if (caller.kind !== 'support_agent') return
  const identity = { type: 'user_id', value: caller.subject }
  const known = await tx.query<unknown[]>('SELECT 1 FROM staff_member WHERE value_index = ANY($1)', [
    identityIndexes(deps, identity),
  ])
  if (known.length > 0) return
  await tx.query('INSERT INTO staff_member (value_index) VALUES ($1) ON CONFLICT DO NOTHING', [identityIndex(deps, identity)])
  await reserveCasesOf(deps, tx, [identity], 'staff_subject')
}
