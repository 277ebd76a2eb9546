import { system } from '../domain/actor.ts'
import type { Completeness } from '../domain/request.ts'
import type { Transact } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest, noteCompleteness, setFlag } from '../requests/apply-event.ts'
import { firstShort } from './receive-answer.ts'
import { type Task, tasksOf } from './tasks.store.ts'

export interface ConcludeDeps extends CaseDeps {
  transact: Transact
}

const BY = system('fulfilment')

/** Closes the fan-out once every task has been answered, and says how whole the answer is. Until then nothing happens. */
export async function concludeFulfilment(deps: ConcludeDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    const tasks = await tasksOf(tx, requestId)
    const asked = tasks.filter(({ action }) => action !== 'resolve')
    if (request.state !== 'fulfilling' || asked.some(({ state }) => state !== 'done')) return
    const completeness = completenessOf(asked)
    await noteCompleteness(tx, requestId, completeness)
    await setFlag(
      deps,
      tx,
      requestId,
      'count_mismatch',
      completeness.missing.some(({ reason }) => reason === FEWER),
      BY,
    )
    await applyEvent(deps, tx, requestId, 'fulfilment_completed', BY, {
      complete: completeness.complete,
      adaptersAsked: completeness.adaptersAsked,
      adaptersAnswered: completeness.adaptersAnswered,
    })
  })
}

const FEWER = 'fewer_than_located'
const WHOLE = new Set(['completed', 'no_data'])

/**
 * What was asked of whom and what is missing. A dataset that nobody spoke of counts as missing, whatever else was said; and where
 * there is no adapter at all, nothing was found because nobody looked.
 */
function completenessOf(tasks: readonly Task[]): Completeness {
  const collects = tasks.filter(({ action, asked }) => action === 'collect' && asked)
  const missing = collects.flatMap(task => missingFrom(task, tasks))
  return {
    complete: tasks.length > 0 && missing.length === 0,
    adaptersAsked: collects.length,
    adaptersAnswered: collects.filter(({ state }) => state === 'done').length,
    missing,
  }
}

function missingFrom(task: Task, tasks: readonly Task[]): Completeness['missing'] {
  const { adapter, answer, config } = task
  if (answer?.status === 'unknown_person') return contradiction(task, tasks)
  const short = locatedBy(task, tasks)
  return config.datasets.flatMap(({ name }) => {
    const said = answer?.datasets.find(dataset => dataset.name === name)
    if (!said) return [{ adapter, dataset: name, outcome: 'failed', reason: 'not_answered' }]
    if (!WHOLE.has(said.outcome)) return [{ adapter, dataset: name, outcome: said.outcome, reason: said.reason ?? null }]
    const counted = short?.datasets.find(dataset => dataset.name === name)?.count ?? 0
    return said.count < counted ? [{ adapter, dataset: name, outcome: 'partially_completed', reason: FEWER }] : []
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
