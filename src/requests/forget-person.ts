import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { renewVersion } from './apply-event.ts'
import { forgetTexts } from './clock-ledger.store.ts'
import { forgetReasons } from './decisions.store.ts'

/** Forgets whom a request was about and every word about them; that there was one, and what became of it, stays. */
export async function forgetPerson(deps: { vault: Pick<Vault, 'seal' | 'open'> }, tx: Tx, id: string): Promise<void> {
  for (const table of [
    'request_identity',
    'contact_point',
    'requester',
    'challenge',
    'repudiation_link',
    'message',
    'request_key',
  ])
    await tx.query(`DELETE FROM ${table} WHERE request_id = $1`, [id])
  await tx.query('UPDATE mandate SET reference_sealed = NULL WHERE request_id = $1', [id])
  await forgetReasons(deps, tx, id)
  await forgetTexts(deps, tx, id)
  await tx.query(
    `UPDATE dsar_request SET name_sealed = NULL, reference_sealed = NULL, reference_index = NULL, details_sealed = NULL, country = NULL,
       region = NULL WHERE id = $1`,
    [id],
  )
  await tx.query('UPDATE break_glass SET text_sealed = NULL WHERE request_id = $1', [id])
  await renewVersion(tx, id)
}
