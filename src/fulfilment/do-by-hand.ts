import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { type AssessDeps, isHeld } from '../requests/assess.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { isEffect, notWhole } from './judge-effect.ts'
import { goOn } from './receive-answer.ts'
import { type DatasetAnswer, getTask, type Task, type TaskAnswer } from './tasks.store.ts'

export interface ByHandDeps extends CaseDeps, Omit<IdentityDeps, 'vault'>, Pick<AssessDeps, 'heldBy'> {
  vault: IdentityDeps['vault']
}

/**
 * Takes the word of the staff for a change that an adapter cannot make, or could not: somebody has made it in that service
 * themself. Where it is looked into afterwards it still is; nobody's word replaces that.
 * @throws Problem `not_found`, `not_allowed`, `illegal_transition`
 */
export async function doByHand(deps: ByHandDeps, tx: Tx, requestId: string, taskId: string, caller: Caller): Promise<Task> {
  const request = await lockRequest(tx, requestId)
  await refuseOwnCase(deps, tx, request, caller)
  const task = await getTask(tx, taskId)
  if (task?.requestId !== requestId) throw new Problem('not_found')
  if (!isEffect(task.action) || task.round > 0 || request.closedAt)
    throw new Problem('illegal_transition', `'${task.action}' is not done by hand.`)
  if (await isHeld(deps, tx, request)) throw new Problem('illegal_transition', 'A legal hold forbids it until it is released.')
  const now = deps.clock.now()
  if (!(await settleByHand(tx, task, { status: 'answered', datasets: madeWhole(task) }, now)))
    throw new Problem('illegal_transition', `A task that is '${task.state}' waits for nobody's hands.`)
  const { adapter, action } = task
  await deps.record(tx, requestStream(requestId), toActor(caller), 'task_done_by_hand', { taskId, adapter, action })
  await goOn(deps, tx, request, task)
  return (await getTask(tx, taskId)) as Task
}

/** Writes down that people did what an adapter could not. False for a task that has not failed. */
async function settleByHand(tx: Tx, { id }: Pick<Task, 'id'>, answer: TaskAnswer, now: Date): Promise<boolean> {
  const [, settled] = await tx.query<[unknown[], number]>(
    `UPDATE task SET state = 'done', failures = 0, answer = $2, problem = NULL, finished_at = $3
     WHERE id = $1 AND state IN ('failed', 'quarantined')`,
    [id, JSON.stringify(answer), now],
  )
  return settled === 1
}

/** What the adapter has done stands as it said; the rest was done by hand. */
function madeWhole({ answer, config }: Task): DatasetAnswer[] {
  return config.datasets.map(({ name }) => {
    const said = answer?.datasets.find(dataset => dataset.name === name)
    return said && !notWhole([said]) ? said : { name, outcome: 'completed', count: said?.count ?? 0, reason: 'by_hand' }
  })
}
