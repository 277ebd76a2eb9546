import type { ContactOf } from '../adapters/adapters.store.ts'
import type { Cancelled } from '../adapters/cancel-task.ts'
import type { Connectors } from '../adapters/kinds.ts'
import { holdStream, requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { ACTIONS, type Action } from '../pipeline.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { dropPromise, type Promised, promisedOf } from './promises.store.ts'
import { locationContext } from './tasks.store.ts'

export interface CancelDeps extends CaseDeps, Pick<Database, 'read' | 'transact'> {
  connectors: Connectors
  contactOf: ContactOf
  vault: Pick<Vault, 'open'>
}

const READING: ReadonlySet<(typeof ACTIONS)[Action]> = new Set(['resolve', 'locate', 'collect'])
const AGAIN_AFTER_SECONDS = 5 * 60
/** After this long an adapter that cannot be reached is left with what it promised: nobody will fetch it. */
const TRIED_FOR_MS = 24 * 60 * 60 * 1000

/**
 * Tells the adapters of a request that ended early that nobody waits any more for what they promised, as far as they can stop: what
 * they prepare is personal data that nobody is to have. Safe to repeat from any point.
 */
export async function cancelPromises(deps: CancelDeps, requestId: string): Promise<void> {
  const told: (readonly [Promised, Cancelled])[] = []
  for (const promised of await promisedOf(deps.read, requestId)) told.push([promised, await tell(deps, promised)])
  const stream = requestStream(requestId)
  await deps.transact(async tx => {
    await holdStream(tx, stream) // before the tasks, as whoever brings an answer late
    for (const [{ id, adapter, endedAt }, said] of told) {
      const tryAgain = said === 'not_reached' && deps.clock.now().getTime() - endedAt.getTime() < TRIED_FOR_MS
      if (tryAgain || !(await dropPromise(tx, id))) continue
      const facts = { taskId: id, adapter, came: said }
      await deps.record(tx, stream, system('fulfilment'), 'promise_cancelled', facts)
    }
    const left = await promisedOf(tx, requestId)
    if (left.length > 0) await deps.enqueue(tx, 'cancel-promises', { requestId }, { afterSeconds: AGAIN_AFTER_SECONDS })
  })
}

async function tell({ connectors, contactOf, vault }: CancelDeps, promised: Promised): Promise<Cancelled> {
  const { id, adapterId, action, baseUrl, locationSealed, key, cancellable } = promised
  if (!cancellable && !READING.has(ACTIONS[action])) return 'goes_on'
  const { kind, ...contact } = await contactOf(adapterId)
  const location = vault.open(locationSealed, locationContext(id)).toString('utf8')
  return (await connectors[kind].cancel?.({ ...contact, baseUrl, location, taskId: key })) ?? 'goes_on'
}
