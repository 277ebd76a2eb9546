import { holdAdapters } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import { ACTIONS_WHILE_COOLING, type Action } from '../pipeline.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { controllerOf } from '../policy/controllers.ts'
import { lockRequest, setFlag } from '../requests/apply-event.ts'
import { refusedPartsOf } from '../requests/decisions.store.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import { type LastMomentDeps, lastMomentOf } from '../requests/last-moment.ts'
import { isRestricted } from '../requests/marks.store.ts'
import type { Asked } from '../tasks/scope.ts'
import { insertTasks, type NewTask } from '../tasks/tasks.store.ts'
import { erasureOrder } from './erasure-order.ts'
import { type ForwardDeps, forward } from './forward.ts'
import { keptOfPerson } from './leftovers.store.ts'
import { type MarkDeps, markAtOnce } from './mark-subject.ts'
import { actionsOf, planTasks } from './plan-tasks.ts'

export interface StartDeps extends ForwardDeps, LastMomentDeps, Omit<DetailsDeps, 'vault'>, Omit<MarkDeps, 'vault'> {
  vault: DetailsDeps['vault'] & MarkDeps['vault']
  transact: Transact
}

/** Has every adapter asked for what the right needs; and services told, from now on, what they may do no more. */
export async function startFulfilment(deps: StartDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    if (request.state !== 'fulfilling') return
    const details = await detailsOf(deps, tx, requestId)
    await markAtOnce(deps, tx, request, details)
    const tasks = await askAdapters(deps, tx, request, details, actionsOf(request, details))
    await forward(deps, tx, request, tasks)
    if (tasks.every(({ answer }) => answer)) await deps.enqueue(tx, 'conclude-fulfilment', { requestId })
  })
}

/** Has asked what the plan needs to know, and what must not wait, as soon as a request begins to cool off. */
export async function askWhileCooling(deps: StartDeps, tx: Tx, request: DsarRequest): Promise<void> {
  const actions = ACTIONS_WHILE_COOLING[request.right]
  const details = await detailsOf(deps, tx, request.id)
  if (actions && !details.lifts) await askAdapters(deps, tx, request, details, actions)
}

async function askAdapters(
  deps: ForwardDeps & LastMomentDeps,
  tx: Tx,
  request: DsarRequest,
  details: Details,
  actions: readonly Action[],
): Promise<NewTask[]> {
  const [adapters, refused, dueAt] = await Promise.all([
    holdAdapters(tx),
    refusedPartsOf(tx, request.id),
    lastMomentOf(deps, tx, request),
  ])
  // Another restriction of the person is in force: this one ends here, and nobody uses the data again for that.
  const isKept = details.lifts !== undefined && (await isRestricted(tx, details.lifts))
  const about = {
    request: isKept ? { ...request, scope: { categories: [] } } : request,
    details,
    refused,
    controllerOf: ownerIn(deps.policy),
    // What the law has kept of an erasure is restricted until it is erased, whatever other restriction ends.
    ...(details.lifts !== undefined && { untouched: await keptOfPerson(tx, request.id) }),
  }
  const tasks = planTasks(about, adapters, actions)
  await insertTasks(tx, { requestId: request.id, round: 0, dueAt, now: deps.clock.now() }, tasks)
  await deps.record(tx, requestStream(request.id), system('fulfilment'), 'adapters_asked', {
    adapters: adapters.map(({ name }) => name),
    actions,
  })
  const { ignored } = erasureOrder(adapters)
  if (actions.includes('erase') && ignored.length > 0)
    await deps.record(tx, requestStream(request.id), system('fulfilment'), 'erasure_order_ignored', { wishes: ignored })
  if (tasks.some(({ problem }) => problem)) await setFlag(deps, tx, request.id, 'failed_task', true, system('fulfilment'))
  if (!tasks.every(({ answer }) => answer)) await deps.enqueue(tx, 'dispatch-tasks', {})
  return tasks
}

const ownerIn =
  (policy: ForwardDeps['policy']): Asked['controllerOf'] =>
  (adapter, dataset) =>
    controllerOf(policy, adapter, dataset)?.name
