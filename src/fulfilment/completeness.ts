import type { Completeness } from '../domain/request.ts'
import type { PackagedRight } from '../domain/rights.ts'
import { OTHERS_ARTICLE } from '../domain/withheld.ts'
import { firstShort } from '../tasks/contradictions.ts'
import { isEffect } from '../tasks/judge-effect.ts'
import type { Task, TaskConfig } from '../tasks/tasks.store.ts'

export const FEWER = 'fewer_than_located'
const COPIED = new Set(['completed', 'no_data'])
const DONE = new Set(['completed', 'no_data', 'retained'])

/** What was asked of whom and what is missing. Where there is no adapter at all, nothing was found because nobody looked. */
function stateOf(tasks: readonly Task[], asked: readonly Task[], missing: Completeness['missing']): Completeness {
  return {
    complete: tasks.length > 0 && missing.length === 0,
    adaptersAsked: adaptersOf(asked),
    adaptersAnswered: adaptersOf(asked.filter(task => task.state === 'done' && !isByHand(task))),
    ...(asked.some(isByHand) && { settledByHand: adaptersOf(asked.filter(isByHand)) }),
    missing,
  }
}

const adaptersOf = (tasks: readonly Task[]): number => new Set(tasks.map(({ adapterId }) => adapterId)).size
const isByHand = ({ answer }: Task): boolean => answer?.status === 'settled_by_hand'

/** Of a copy. A dataset that nobody spoke of counts as missing, whatever else was said. */
export function completenessOfCopy(tasks: readonly Task[], right: PackagedRight): Completeness {
  const collects = tasks.filter(({ action, asked }) => action === 'collect' && asked)
  const state = stateOf(tasks, collects, [...notAskedIn(tasks), ...collects.flatMap(task => missingFrom(task, tasks))])
  const article = OTHERS_ARTICLE[right]
  const withheld = collects.flatMap(({ adapter, answer }) =>
    (answer?.withheld ?? []).map(({ says: _says, ...line }) => ({ adapter, ...line, article })),
  )
  return withheld.length > 0 ? { ...state, withheld } : state
}

/** Of what was changed: everything asked for was done, was not there, or is kept by law and said to be. */
export function completenessOfEffects(tasks: readonly Task[]): Completeness {
  const effects = tasks.filter(({ action, asked }) => isEffect(action) && asked)
  const missing = effects.flatMap(({ adapter, answer, config }) =>
    answer?.status === 'unknown_person'
      ? []
      : config.datasets.flatMap(({ name }) => {
          const said = answer?.datasets.find(dataset => dataset.name === name)
          if (!said) return [{ adapter, dataset: name, outcome: 'failed', reason: 'not_answered' }]
          return DONE.has(said.outcome) ? [] : [{ adapter, dataset: name, outcome: said.outcome, reason: said.reason ?? null }]
        }),
  )
  return stateOf(tasks, effects, [...notAskedIn(tasks), ...missing])
}

type Planned = Pick<Task, 'adapter' | 'config'>

/** Once for each adapter: every task of it that was made since knows. */
function among<D extends object>(tasks: readonly Planned[], partsOf: (config: TaskConfig) => readonly D[] | undefined) {
  const known = new Map(
    tasks.flatMap(({ adapter, config }) => [[adapter, partsOf(config)] as const]).filter(([, parts]) => parts),
  )
  return [...known].flatMap(([adapter, parts = []]) => parts.map(dataset => ({ adapter, ...dataset })))
}

/** What people refused. */
export const refusedAmong = (tasks: readonly Planned[]) => among(tasks, ({ refused }) => refused)

/** What other controllers have to answer. */
export const forwardedAmong = (tasks: readonly Planned[]) => among(tasks, ({ forwarded }) => forwarded)

/** What was refused or forwarded is missing, whether or not there is any of it. */
const notAskedIn = (tasks: readonly Task[]): Completeness['missing'] => [
  ...refusedAmong(tasks).map(({ adapter, name, ground }) => ({ adapter, dataset: name, outcome: 'refused', reason: ground })),
  ...forwardedAmong(tasks).map(({ adapter, name, controller }) => ({
    ...{ adapter, dataset: name, outcome: 'forwarded', reason: controller },
  })),
]

function missingFrom(task: Task, tasks: readonly Task[]): Completeness['missing'] {
  const { adapter, answer, config } = task
  if (answer?.status === 'unknown_person') return contradiction(task, tasks)
  const short = locatedBy(task, tasks)
  return config.datasets.flatMap(({ name }) => {
    const said = answer?.datasets.find(dataset => dataset.name === name)
    if (!said) return [{ adapter, dataset: name, outcome: 'failed', reason: 'not_answered' }]
    if (!COPIED.has(said.outcome) || isByHand(task))
      return [
        { adapter, dataset: name, outcome: said.outcome, reason: said.reason ?? (isByHand(task) ? 'settled_by_hand' : null) },
      ]
    const counted = short?.datasets.find(dataset => dataset.name === name)?.count ?? 0
    if (said.count < counted) return [{ adapter, dataset: name, outcome: 'partially_completed', reason: FEWER }]
    const withheld = answer?.withheld?.find(({ dataset }) => dataset === name)
    return withheld
      ? [{ adapter, dataset: name, outcome: withheld.field ? 'partially_completed' : 'refused', reason: withheld.reason }]
      : []
  })
}

const locatedBy = (task: Task, tasks: readonly Task[]) =>
  tasks.find(({ action, adapterId }) => action === 'locate' && adapterId === task.adapterId)?.answer

/** Whoever counted records and then knows nobody owes an explanation. */
function contradiction(task: Task, tasks: readonly Task[]): Completeness['missing'] {
  const located = locatedBy(task, tasks)
  const short = located && firstShort(located, [])
  return short ? [{ adapter: task.adapter, dataset: short, outcome: 'failed', reason: FEWER }] : []
}
