import type { Tx } from '../platform/database.ts'
import { erasedElsewhere, type OtherErasure } from './erased-elsewhere.store.ts'
import { changeBehind, erasuresBy, stillThere } from './judge-effect.ts'
import { type DatasetAnswer, type Task, type TaskAnswer, tasksOf } from './tasks.store.ts'

/** Says what is still counted that was said to be erased. */
export async function leftOver(tx: Tx, task: Task, datasets: readonly DatasetAnswer[]): Promise<string | undefined> {
  const left = stillThere(erasuresBy(task, await tasksOf(tx, task.requestId)), datasets)
  if (left.length === 0) return undefined
  return `It still counts ${left.map(({ name, count }) => `${count} of '${name}'`).join(', ')}.`
}

/** What an adapter that knows nobody now had said of the person before. */
export async function contradictionIn(tx: Tx, task: Task): Promise<{ code: string; detail: string } | undefined> {
  const corrected = task.action === 'read_back' && changeBehind(task, await tasksOf(tx, task.requestId))
  if (corrected && corrected.answer?.status === 'answered')
    return { code: 'not_corrected', detail: 'It knows nobody now, and had corrected something.' }
  const counted = task.action === 'collect' || (task.action === 'erase' && task.round === 0)
  const missing = counted ? await fewerThanLocated(tx, task, []) : undefined
  if (!missing) return undefined
  return { code: 'fewer_than_located', detail: `It knows nobody now, and had counted records of '${missing}'.` }
}

/** By whose erasure all that was counted here is gone by now, if by another's: one that is done, or that the adapter was asked for. */
export async function whoseErasure(tx: Tx, task: Task): Promise<OtherErasure | undefined> {
  const located = await locatedBefore(tx, task)
  const counted = (located?.answer?.datasets ?? []).filter(({ count }) => count > 0)
  const others = located?.finishedAt ? await erasedElsewhere(tx, task, located.finishedAt) : []
  return others.find(({ isDone, datasets }) => !isDone || counted.every(({ name }) => datasets.includes(name)))
}

const locatedBefore = async (tx: Tx, { requestId, adapterId }: Task): Promise<Task | undefined> =>
  (await tasksOf(tx, requestId, 'locate')).find(located => located.adapterId === adapterId)

/** The first dataset of which fewer records came than the same adapter had counted. */
export async function fewerThanLocated(
  tx: Tx,
  task: Task,
  datasets: readonly DatasetAnswer[],
): Promise<string | undefined | null> {
  const located = await locatedBefore(tx, task)
  return located?.answer && firstShort(located.answer, datasets)
}

export function firstShort(located: TaskAnswer, datasets: readonly DatasetAnswer[]): string | undefined {
  const short = located.datasets.find(({ name, count }) => {
    const came = datasets.find(dataset => dataset.name === name)
    return (came === undefined || came.outcome === 'completed' || came.outcome === 'no_data') && (came?.count ?? 0) < count
  })
  return short?.name
}
