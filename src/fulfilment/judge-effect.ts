import type { Action } from '../pipeline.ts'
import type { DatasetAnswer, Task, TaskAnswer } from './tasks.store.ts'

/** Actions that change something at the adapter. */
const EFFECTS: ReadonlySet<Action> = new Set(['rectify', 'erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent'])
export const isEffect = (action: Action): boolean => EFFECTS.has(action)

/** What was done, what there was nothing to do for, and what the law has kept: everything else is for a person to look at. */
const WHOLE: ReadonlySet<string> = new Set(['completed', 'no_data', 'retained'])

export interface Problem {
  code: string
  detail: string
}

/** What of an answer cannot be taken for done: said to be refused, failed, half done or not possible. */
export function notWhole(datasets: readonly DatasetAnswer[]): Problem | undefined {
  const short = datasets.find(({ outcome }) => !WHOLE.has(outcome))
  return short && { code: `outcome_${short.outcome}`, detail: `Dataset '${short.name}' is '${short.outcome}'.` }
}

/**
 * What is still held where nothing should be. An adapter that says it erased is believed when it counts none, or no more than
 * it said it has to keep.
 */
export function stillThere(erased: TaskAnswer | null, counted: readonly DatasetAnswer[]): DatasetAnswer[] {
  const kept = (name: string) => {
    const said = erased?.datasets.find(dataset => dataset.name === name)
    return said?.outcome === 'retained' ? said.count : 0
  }
  return counted.filter(({ name, count }) => count > kept(name))
}

/** What each look is to confirm. */
const CONFIRMED_BY: Partial<Record<Action, Action>> = { confirm_erased: 'erase', read_back: 'rectify' }

/** The change that a look was to confirm: the same adapter's, of the same round, or where a later round only looked, the first. */
export function changeBehind(task: Task, tasks: readonly Task[]): Task | undefined {
  const changes = tasks.filter(
    ({ action, adapterId, round }) => action === CONFIRMED_BY[task.action] && adapterId === task.adapterId && round <= task.round,
  )
  return changes.sort((a, b) => b.round - a.round)[0]
}
