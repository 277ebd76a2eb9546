import { system } from '../domain/actor.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest } from './apply-event.ts'
import { openPause } from './clock-ledger.store.ts'

/** Approves at once what needs nobody's judgement: today that is every copy of data asked for by a person who has been identified. */
export async function assess(deps: CaseDeps, tx: Tx, requestId: string): Promise<void> {
  const request = await lockRequest(tx, requestId)
  if (request.state !== 'assessing' || (await openPause(tx, requestId, 'fee'))) return
  await applyEvent(deps, tx, requestId, 'approved', system('policy'))
}
