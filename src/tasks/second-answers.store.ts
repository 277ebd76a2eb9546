import type { Outcome } from '../adapters/announced.ts'
import { requestStream } from '../audit/record.ts'
import { afterCommit, type Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { lockTask, type Task, type TaskAnswer } from './tasks.store.ts'

export interface NoteDeps extends Pick<CaseDeps, 'record'> {
  onAnswer(action: string, kind: string): void
}

type Said = readonly Pick<TaskAnswer['datasets'][number], 'name' | 'outcome' | 'count'>[]

/** To hold nothing of a dataset is the same as not to speak of it. */
const gistOf = (said: Said): string =>
  JSON.stringify(
    said
      .filter(({ outcome, count }) => outcome !== 'no_data' || count > 0)
      .map(({ name, outcome, count }) => [name, outcome, count])
      .sort(),
  )

/**
 * The first answer counts. Another one that says something else changes nothing, and yet one of them is wrong, which is for a person to
 * see: it goes on the record and is counted. @returns whether it contradicts the answer that the adapter gave to the same question
 */
export async function noteContradiction(
  deps: NoteDeps,
  tx: Tx,
  asked: Pick<Task, 'id' | 'requestId' | 'key'>,
  said: readonly Outcome[] | undefined,
): Promise<boolean> {
  if (!said) return false
  const task = await lockTask(tx, asked)
  const { answer } = task
  const isAnswered = task.key === asked.key && task.state === 'done' && task.asked
  if (!isAnswered || !answer || !OF_THE_ADAPTER.has(answer.status)) return false
  if (gistOf(said.map(one => ({ count: 0, ...one }))) === gistOf(answer.datasets)) return false
  await recordContradiction(deps, tx, task)
  return true
}

/** So many tell a person enough: whoever goes on contradicting themself is counted, and does not fill the record. */
const MOST_ON_RECORD = 10

export async function recordContradiction(deps: NoteDeps, tx: Tx, { id, requestId, adapter, action }: Task): Promise<void> {
  const stream = requestStream(requestId)
  const [{ before }] = await tx.query<[{ before: number }]>(
    `SELECT count(*)::int AS before FROM audit_entry WHERE stream = $1 AND event = 'answer_contradicted' AND facts ->> 'taskId' = $2`,
    [stream, id],
  )
  if (before < MOST_ON_RECORD)
    await deps.record(tx, stream, { kind: 'adapter', id: adapter }, 'answer_contradicted', { taskId: id, action })
  afterCommit(tx, () => deps.onAnswer(action, 'contradicted'))
}

const OF_THE_ADAPTER: ReadonlySet<TaskAnswer['status']> = new Set(['answered', 'unknown_person'])

/** What call backs had said of the answer before it was fetched, the first first. */
export async function saidByCallBack(tx: Tx, { id, key }: Pick<Task, 'id' | 'key'>): Promise<Outcome[][]> {
  const before = await tx.query<{ datasets: Outcome[] }[]>(
    `SELECT said -> 'datasets' AS datasets FROM callback_seen WHERE task_id = $1 AND said ->> 'key' = $2 ORDER BY at`,
    [id, key],
  )
  return before.map(({ datasets }) => datasets)
}
