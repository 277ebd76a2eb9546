import { randomUUIDv7 } from 'node:crypto'
import { OVERSIGHT } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { type Identity, type IdentityDeps, identityIndexes } from '../requests/identities.store.ts'
import { reserveCasesOf } from '../requests/reserved.store.ts'

/** Somebody whose cases are for officers alone. Who it is can be looked up under the reference, not here. */
export interface Vip {
  id: string
  reference: string
  listedBy: string
  listedAt: Date
  removalProposedBy: string | null
}

const COLUMNS = 'id, reference, listed_by AS "listedBy", listed_at AS "listedAt", removal_proposed_by AS "removalProposedBy"'

export const listVips = (read: Tx): Promise<Vip[]> => read.query(`SELECT ${COLUMNS} FROM vip ORDER BY id`)

/** Lists somebody, and reserves the cases that are about them already. */
export async function listVip(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  { identities, reference }: { identities: readonly Identity[]; reference: string },
  caller: Caller,
): Promise<Vip> {
  const by = toActor(caller)
  const vip = { id: randomUUIDv7(), reference, listedBy: by.id, listedAt: deps.clock.now(), removalProposedBy: null }
  await tx.query('INSERT INTO vip (id, reference, listed_by, listed_at) VALUES ($1, $2, $3, $4)', [
    vip.id,
    reference,
    by.id,
    vip.listedAt,
  ])
  await tx.query('INSERT INTO vip_identity (vip_id, value_index) SELECT $1, unnest($2::bytea[]) ON CONFLICT DO NOTHING', [
    vip.id,
    identities.flatMap(identity => identityIndexes(deps, identity)),
  ])
  await deps.record(tx, OVERSIGHT, by, 'vip_listed', { vip: vip.id, reference })
  await reserveCasesOf(deps, tx, identities, 'vip')
  return vip
}

/**
 * Takes somebody off the list: one officer proposes it and another does it, and neither is the one it is about. The cases that were
 * reserved stay so.
 * @returns what was proposed; undefined once it is done. @throws Problem `not_found`, `not_allowed`, `second_person_needed`
 */
export async function removeVip(deps: CaseDeps & IdentityDeps, tx: Tx, id: string, caller: Caller): Promise<Vip | undefined> {
  const [vip] = await tx.query<Vip[]>(`SELECT ${COLUMNS} FROM vip WHERE id = $1 FOR UPDATE`, [id])
  if (!vip) throw new Problem('not_found')
  const by = toActor(caller)
  if (caller.kind !== 'support_agent' || (await isThem(deps, tx, id, caller.subject))) throw new Problem('not_allowed')
  const facts = { vip: id, reference: vip.reference }
  if (!vip.removalProposedBy) {
    await tx.query('UPDATE vip SET removal_proposed_by = $2 WHERE id = $1', [id, by.id])
    await deps.record(tx, OVERSIGHT, by, 'vip_removal_proposed', facts)
    return { ...vip, removalProposedBy: by.id }
  }
  requireSecondPerson(vip.removalProposedBy, caller)
  await tx.query('DELETE FROM vip WHERE id = $1', [id])
  await deps.record(tx, OVERSIGHT, by, 'vip_removed', facts)
  return undefined
}

async function isThem(deps: IdentityDeps, tx: Tx, id: string, subject: string): Promise<boolean> {
  const found = await tx.query<unknown[]>('SELECT 1 FROM vip_identity WHERE vip_id = $1 AND value_index = ANY($2)', [
    id,
    identityIndexes(deps, { type: 'user_id', value: subject }),
  ])
  return found.length > 0
}
