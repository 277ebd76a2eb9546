import { explanationMissing } from '../adapters/retained.ts'
import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { Action } from '../pipeline.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { type AssessDeps, isHeld } from '../requests/assess.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { goOn } from './go-on.ts'
import { changeBehind, isEffect } from './judge-effect.ts'
import { settleByHand } from './reopened-tasks.store.ts'
import { type DatasetAnswer, getTask, type Task, tasksOf } from './tasks.store.ts'

export interface SettleDeps extends CaseDeps, IdentityDeps, Pick<AssessDeps, 'heldBy'> {}

/** What people found out of each dataset that an adapter was asked about and gave no answer of. */
export interface ByHand {
  datasets: (Omit<DatasetAnswer, 'count'> & { count?: number })[]
  /** Of the file in which it can be read what was done. On the record, so it names nobody. */
  reference: string
}

/** What can be said by hand. A copy is never made by hand; what was not done is refused by a decision, and not noted here. */
const SAYABLE = {
  copy: ['no_data', 'retained', 'not_supported', 'refused', 'failed'],
  effect: ['completed', 'no_data', 'retained'],
  erased: ['no_data', 'retained'],
  readBack: ['completed', 'no_data'],
} as const

const sayableOf = (action: Action): readonly string[] =>
  isEffect(action)
    ? SAYABLE.effect
    : ({ collect: SAYABLE.copy, confirm_erased: SAYABLE.erased, read_back: SAYABLE.readBack }[action as string] ?? [])

/**
 * Notes what people did, or found, where an adapter cannot or does not answer. One person is enough: it is on the record under
 * their name, a copy claims nothing by it, and what was changed by hand is looked into by the adapter itself. Where that cannot
 * look either, who says that it was done and who says that it shows are two people.
 * @throws Problem `not_found`, `not_allowed`, `illegal_transition`, `second_person_needed`, `unprocessable`
 */
export async function settleTask(
  deps: SettleDeps,
  tx: Tx,
  { requestId, taskId }: { requestId: string; taskId: string },
  given: ByHand,
  caller: Caller,
): Promise<Task> {
  await visibleRequest(deps, tx, requestId, caller)
  const request = await lockRequest(tx, requestId)
  const task = await getTask(tx, taskId)
  if (task?.requestId !== requestId) throw new Problem('not_found')
  await refuseOwnCase(deps, tx, request, caller)
  if (request.closedAt !== null && task.round === 0) throw new Problem('illegal_transition', 'The request has ended.')
  if ((task.action === 'erase' || task.action === 'rectify') && (await isHeld(deps, tx, request)))
    throw new Problem('illegal_transition', 'A legal hold forbids it until it is released.')
  const tasks = await tasksOf(tx, requestId)
  const changed = changeBehind(task, tasks)
  if (changed?.answer?.settled) requireSecondPerson(changed.answer.settled.by, caller)
  const errors = faultsOf(task, given)
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })

  const now = deps.clock.now()
  const datasets = given.datasets.map(one => ({ ...one, count: one.count ?? 0 }))
  const settled = { by: caller.id, reference: given.reference }
  if (!(await settleByHand(tx, taskId, { status: 'settled_by_hand', datasets, settled }, now)))
    throw new Problem('illegal_transition', `A task that is '${task.state}' needs nobody's word.`)
  // Nobody needs to know any more how much there would have been to copy or to change.
  const located = tasks.find(one => one.action === 'locate' && one.adapterId === task.adapterId && one.round === task.round)
  if (located) await settleByHand(tx, located.id, { status: 'settled_by_hand', datasets: [], settled }, now)
  await deps.record(tx, requestStream(requestId), toActor(caller), 'task_settled_by_hand', {
    taskId,
    adapter: task.adapter,
    action: task.action,
    outcomes: datasets.map(({ name, outcome, count }) => `${name}: ${outcome} ${count}`),
    reference: given.reference,
  })
  await deps.enqueue(tx, 'dispatch-tasks', {})
  await goOn(deps, tx, request, { ...task, state: 'done' })
  return (await getTask(tx, taskId)) as Task
}

/** Each dataset that was asked about is spoken of once, and no other; and what is kept is explained as an adapter has to explain it. */
function faultsOf({ action, config }: Task, { datasets }: ByHand): Fault[] {
  const sayable = sayableOf(action)
  const asked = config.datasets.map(({ name }) => name)
  const unsaid = asked.filter(name => datasets.filter(one => one.name === name).length !== 1)
  return [
    ...unsaid.map(name => ({ pointer: '/datasets', detail: `Say once what became of '${name}'.` })),
    ...datasets.flatMap((dataset, i) => {
      const pointer = `/datasets/${i}`
      const { name, outcome, count = 0 } = dataset
      if (!asked.includes(name)) return [{ pointer: `${pointer}/name`, detail: 'It was not asked about.' }]
      if (!sayable.includes(outcome)) return [{ pointer: `${pointer}/outcome`, detail: refusal(action, sayable) }]
      if (outcome === 'no_data' && count > 0)
        return [{ pointer: `${pointer}/count`, detail: 'Where there is no data there are none.' }]
      const missing =
        outcome === 'retained' ? explanationMissing({ action: action === 'confirm_erased' ? 'erase' : action }, dataset) : []
      return missing.map(what => ({ pointer, detail: `What is kept needs ${what}.` }))
    }),
  ]
}

const refusal = (action: Action, sayable: readonly string[]): string =>
  sayable.length === 0
    ? `'${action}' is not settled by hand.`
    : `By hand it is one of ${sayable.join(', ')}. What is not done has to be refused by a decision.`
