import { randomUUIDv7 } from 'node:crypto'
import { type Adapter, holdAdapters } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { endOfDay } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import { ACTIONS_OF } from '../pipeline.ts'
import type { Transact } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { configOf, datasetsInScope } from './scope.ts'
import { insertTasks, type NewTask } from './tasks.store.ts'

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
    const dueAt = endOfDay(request.dueOn, request.timeZone)
    const tasks = adapters.flatMap(adapter => tasksFor(request, adapter))
    await insertTasks(tx, { requestId, dueAt, now: deps.clock.now() }, tasks)
    await deps.record(tx, requestStream(requestId), system('fulfilment'), 'adapters_asked', {
      adapters: adapters.map(({ name }) => name),
    })
    if (tasks.every(({ answer }) => answer)) await deps.enqueue(tx, 'conclude-fulfilment', { requestId })
    else await deps.enqueue(tx, 'dispatch-tasks', {})
  })
}

function tasksFor(request: DsarRequest, adapter: Adapter): NewTask[] {
  const datasets = datasetsInScope(request, adapter.manifest.datasets)
  const common = { adapterId: adapter.id, adapter: adapter.name, config: configOf(adapter, datasets) }
  if (datasets.length === 0)
    return [{ ...common, id: randomUUIDv7(), action: 'collect', answer: { status: 'nothing_in_scope', datasets: [] } }]
  // Counting first is what shows that a copy is whole; who cannot count is asked for the copy alone.
  const actions = ACTIONS_OF[request.right].filter(action => action !== 'locate' || adapter.manifest.actions.includes('locate'))
  const ids = actions.map(() => randomUUIDv7())
  return actions.map((action, i) => ({
    ...common,
    id: ids[i] as string,
    action,
    ...(i > 0 && { afterTask: ids[i - 1] as string }),
  }))
}
