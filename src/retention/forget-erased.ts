import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import type { Vault } from '../platform/vault.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { forgetPerson } from '../requests/forget-person.ts'
import { heldBy } from '../requests/held.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { LIVE_STATES } from '../tasks/tasks.store.ts'

export interface ForgetErasedDeps extends CaseDeps, Omit<IdentityDeps, 'vault'> {
  transact: Transact
  read: Tx
  vault: IdentityDeps['vault'] & Pick<Vault, 'seal' | 'open'>
  /** How long a backup may still bring data back. */
  backupDays: number
}

const DAY_MS = 86_400_000

/** Over `r`: nothing is owed to it any more, so nobody has to be known to do it; `$1` is the last moment of which no backup is left. */
const NOTHING_OWED = `r.state = 'completed' AND r."right" IN ('erasure', 'under_age_report') AND r.closed_at <= $1
  AND NOT EXISTS (SELECT FROM later_round l WHERE l.request_id = r.id AND l.found IS DISTINCT FROM 0)
  AND NOT EXISTS (SELECT FROM leftover l WHERE l.request_id = r.id AND l.erased_at IS NULL)
  AND NOT EXISTS (SELECT FROM task t WHERE t.request_id = r.id AND t.state = ANY($2))
  AND NOT EXISTS (SELECT FROM letter l WHERE l.request_id = r.id AND l.values_sealed IS NOT NULL)`

/**
 * Forgets who was erased once nothing is owed to them any more: all looks are over, nothing is kept, and no backup is left that
 * could bring them back. What stays is that there was a request and what became of it, and marks by which they are recognised,
 * which name nobody.
 */
export async function forgetErased(deps: ForgetErasedDeps, now: Date): Promise<void> {
  const since = new Date(now.getTime() - deps.backupDays * DAY_MS)
  const due = await deps.read.query<{ id: string }[]>(
    `SELECT r.id FROM dsar_request r WHERE ${NOTHING_OWED}
       AND EXISTS (SELECT FROM request_identity i WHERE i.request_id = r.id) LIMIT 1000`,
    [since, LIVE_STATES],
  )
  await eachInTurn(due, ({ id }) => deps.transact(tx => forgetOne(deps, tx, id, since)))
}

async function forgetOne(deps: ForgetErasedDeps, tx: Tx, id: string, since: Date): Promise<void> {
  const { receivedAt } = await lockRequest(tx, id)
  const [still] = await tx.query<unknown[]>(`SELECT 1 FROM dsar_request r WHERE r.id = $3 AND ${NOTHING_OWED}`, [
    since,
    LIVE_STATES,
    id,
  ])
  if (!still) return
  const holds = await heldBy(deps, tx, id, receivedAt)
  await forgetPerson(deps, tx, id)
  // Which holds stood in its way can be told by the person alone, and has to be told when nobody knows them any more.
  await deps.record(tx, requestStream(id), system('retention'), 'person_forgotten', { holds })
}
