import { holdAdapters } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { endOfDay } from '../domain/day.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import { ACTIONS_WHILE_COOLING, type Action } from '../pipeline.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { refusedPartsOf } from '../requests/decisions.store.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import { isRestricted } from '../requests/marks.store.ts'
import { type MarkDeps, markAtOnce } from './mark-subject.ts'
import { actionsOf, planTasks } from './plan-tasks.ts'
import { insertTasks } from './tasks.store.ts'

export interface StartDeps extends CaseDeps, Omit<DetailsDeps, 'vault'>, Omit<MarkDeps, 'vault'> {
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
    const open = await askAdapters(deps, tx, request, details, actionsOf(request, details))
    if (open === 0) await deps.enqueue(tx, 'conclude-fulfilment', { requestId })
  })
}

/** Has asked what the plan needs to know, and what must not wait, as soon as a request begins to cool off. */
export async function askWhileCooling(deps: StartDeps, tx: Tx, request: DsarRequest): Promise<void> {
  const actions = ACTIONS_WHILE_COOLING[request.right]
  const details = await detailsOf(deps, tx, request.id)
  if (actions && !details.lifts) await askAdapters(deps, tx, request, details, actions)
}

/** @returns how many tasks have no answer yet */
async function askAdapters(
  deps: CaseDeps,
  tx: Tx,
  request: DsarRequest,
  details: Details,
  actions: readonly Action[],
): Promise<number> {
  const adapters = await holdAdapters(tx)
  const refused = await refusedPartsOf(tx, request.id)
  // Another restriction of the person is in force: this one ends here, and nobody uses the data again for that.
  const isKept = details.lifts !== undefined && (await isRestricted(tx, details.lifts))
  const about = { request: isKept ? { ...request, scope: { categories: [] } } : request, details, refused }
  const tasks = planTasks(about, adapters, actions)
  const dueAt = endOfDay(request.dueOn, request.timeZone)
  await insertTasks(tx, { requestId: request.id, round: 0, dueAt, now: deps.clock.now() }, tasks)
  await deps.record(tx, requestStream(request.id), system('fulfilment'), 'adapters_asked', {
    adapters: adapters.map(({ name }) => name),
    actions,
  })
  const open = tasks.filter(({ answer }) => !answer).length
  if (open > 0) await deps.enqueue(tx, 'dispatch-tasks', {})
  return open
}
