import type { Day } from '../domain/day.ts'
import type { Action } from '../pipeline.ts'
import type { DatasetAnswer, Task } from './tasks.store.ts'

/** Actions that change something at the adapter. */
const EFFECTS: ReadonlySet<Action> = new Set(['rectify', 'erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent'])
export const isEffect = (action: Action): boolean => EFFECTS.has(action)

/** What was done, what there was nothing to do for, and what the law has kept: everything else is for a person to look at. */
const WHOLE: ReadonlySet<string> = new Set(['completed', 'no_data', 'retained'])

export interface Problem {
  code: string
  detail: string
}

/**
 * What of an answer cannot be taken for done: said to be refused, failed, half done or not possible; or kept, though the day until
 * which the law has it kept is over.
 */
export function notWhole(datasets: readonly DatasetAnswer[], today: Day): Problem | undefined {
  const short = datasets.find(({ outcome }) => !WHOLE.has(outcome))
  if (short) return { code: `outcome_${short.outcome}`, detail: `Dataset '${short.name}' is '${short.outcome}'.` }
  const over = datasets.find(({ outcome, until }) => outcome === 'retained' && until !== undefined && until.slice(0, 10) < today)
  return over && { code: 'retention_over', detail: `Dataset '${over.name}' is kept beyond the day until which it may be.` }
}

/**
 * What is still held where nothing should be. An adapter that says it erased is believed when it counts none, or no more than
 * it said it has to keep the last time that it was asked to erase that dataset.
 */
export function stillThere(erasures: readonly Task[], counted: readonly DatasetAnswer[]): DatasetAnswer[] {
  return counted.filter(({ name, count }) => count > keptOf(erasures, name))
}

function keptOf(erasures: readonly Task[], name: string): number {
  const said = erasures.flatMap(({ answer }) => answer?.datasets.find(dataset => dataset.name === name) ?? []).at(-1)
  return said?.outcome === 'retained' ? said.count : 0
}

/** What an adapter was asked to erase and answered, the latest answer last. */
export const erasuresBy = ({ adapterId }: Pick<Task, 'adapterId'>, tasks: readonly Task[]): Task[] =>
  tasks
    .filter(({ action, state, ...task }) => action === 'erase' && state === 'done' && task.adapterId === adapterId)
    .sort((a, b) => (a.finishedAt?.getTime() ?? 0) - (b.finishedAt?.getTime() ?? 0))

/** What each look is to confirm. */
const CONFIRMED_BY: Partial<Record<Action, Action>> = { confirm_erased: 'erase', read_back: 'rectify' }

/** The change that a look is to confirm: the same adapter's, of the same round. A round that only looks has none. */
export const changeBehind = ({ action, adapterId, round }: Task, tasks: readonly Task[]): Task | undefined =>
  tasks.find(one => one.action === CONFIRMED_BY[action] && one.adapterId === adapterId && one.round === round)
