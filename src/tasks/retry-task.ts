import { randomUUIDv7 } from 'node:crypto'
import { type Adapter, getAdapter } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { refusedPartsOf } from '../requests/decisions.store.ts'
import { detailsOf } from '../requests/details.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { reflag, standingAfter } from './go-on.ts'
import { changeBehind } from './judge-effect.ts'
import { doAgain, restart, waitFor } from './reopened-tasks.store.ts'
import { configFor, configOf } from './scope.ts'
import { getTask, insertTasks, type Task, type TaskConfig, tasksOf } from './tasks.store.ts'

export interface RetryDeps extends CaseDeps {
  vault: Vault
}

/** Has a task asked again now, as its adapter is registered by now. @throws Problem `not_found`, `illegal_transition` */
export async function retryTask(deps: RetryDeps, tx: Tx, requestId: string, taskId: string, caller: Caller): Promise<Task> {
  await visibleRequest(deps, tx, requestId, caller)
  const request = await lockRequest(tx, requestId)
  const task = await getTask(tx, taskId)
  if (task?.requestId !== requestId) throw new Problem('not_found')
  const config = await configAnew(deps, tx, request, task)
  const over = request.closedAt !== null && task.round === 0
  if (over || !(await askAnew(deps, tx, task, config)))
    throw new Problem('illegal_transition', `A task that is '${task.state}' is not asked again.`)
  await deps.record(tx, requestStream(requestId), toActor(caller), 'task_retried', {
    taskId,
    adapter: task.adapter,
    action: task.action,
  })
  await deps.enqueue(tx, 'dispatch-tasks', {})
  const retried = (await getTask(tx, taskId)) as Task
  await reflag(deps, tx, request, await standingAfter(tx, retried))
  return retried
}

/** A later round, and a restriction of what an erasure left, go on being about those datasets and no others. */
async function configAnew(deps: RetryDeps, tx: Tx, request: DsarRequest, task: Task): Promise<TaskConfig> {
  const adapter = await getAdapter(tx, task.adapterId)
  if (task.action === 'resolve') return configOf(adapter, [])
  const details = await detailsOf(deps, tx, request.id)
  const refused = await refusedPartsOf(tx, request.id)
  // What was forwarded stays forwarded, and what was ours ours, whatever the policy says by now.
  const controllerOf = (_adapter: string, { name }: { name: string }) =>
    task.config.forwarded?.find(dataset => dataset.name === name)?.controller
  const anew = configFor({ request, details, refused, controllerOf }, adapter)
  const isPart = task.round > 0 || (task.action === 'restrict' && request.right !== 'restriction')
  return isPart ? { ...anew, datasets: theSame(adapter, task) } : anew
}

const theSame = ({ manifest }: Adapter, { config }: Task) =>
  manifest.datasets.filter(({ name }) => config.datasets.some(dataset => dataset.name === name))

/** What a look found not done: looking again would see the same. */
const NOT_DONE: readonly (string | undefined)[] = ['still_there', 'not_corrected']

/** Data that were said to be erased or corrected, and are not, are erased or corrected once more. */
async function askAnew(deps: RetryDeps, tx: Tx, task: Task, config: TaskConfig): Promise<boolean> {
  if (!NOT_DONE.includes(task.problem?.code)) return restart(tx, task, config)
  const { requestId, adapterId, adapter, round, dueAt } = task
  const change = changeBehind(task, await tasksOf(tx, requestId))
  const id = change?.id ?? randomUUIDv7()
  if (change) await doAgain(tx, id, config)
  // A round that only looked erases from here on.
  else
    await insertTasks(tx, { requestId, round, dueAt, now: deps.clock.now() }, [
      { id, adapterId, adapter, action: 'erase', config },
    ])
  await waitFor(tx, task.id, id, config)
  return true
}
