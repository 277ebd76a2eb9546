import { type Adapter, holdAdapters } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { endOfDay } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import { ACTIONS_OF } from '../pipeline.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { configOf, datasetsInScope } from './scope.ts'
import { insertTask } from './tasks.store.ts'

export interface StartDeps extends CaseDeps {
  transact: Transact
}

/**
 * Makes one task for each adapter and action that the right needs, an adapter's next action waiting for its previous one.
 * A suspended adapter gets its tasks too: it holds data all the same, so its silence has to show. An adapter with nothing in
 * scope gets one that is answered at once, so that the count of adapters is never a guess.
 */
export async function startFulfilment(deps: StartDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    if (request.state !== 'fulfilling') return
    const adapters = await holdAdapters(tx)
    for (const adapter of adapters) await planFor(deps, tx, request, adapter)
    await deps.record(tx, requestStream(requestId), system('fulfilment'), 'adapters_asked', {
      adapters: adapters.map(({ name }) => name),
    })
    await deps.enqueue(tx, 'dispatch-tasks', {})
    await deps.enqueue(tx, 'conclude-fulfilment', { requestId })
  })
}

async function planFor(deps: StartDeps, tx: Tx, request: DsarRequest, adapter: Adapter): Promise<void> {
  const datasets = datasetsInScope(request, adapter.manifest.datasets)
  const task = {
    requestId: request.id,
    adapterId: adapter.id,
    adapter: adapter.name,
    config: configOf(adapter, datasets),
    dueAt: endOfDay(request.dueOn, request.timeZone),
  }
  if (datasets.length === 0) {
    await insertTask(tx, { ...task, action: 'collect', answer: { status: 'nothing_in_scope', datasets: [] } }, deps.clock.now())
    return
  }
  let afterTask: string | undefined
  for (const action of ACTIONS_OF[request.right]) {
    // Counting first is what shows that a copy is whole; who cannot count is asked for the copy alone.
    if (action === 'locate' && !adapter.manifest.actions.includes('locate')) continue
    afterTask = await insertTask(tx, { ...task, action, ...(afterTask && { afterTask }) }, deps.clock.now())
  }
}
