import type { Answer } from '../adapters/answer.ts'
import type { DatasetAnswer, TaskCall } from '../adapters/protocol.ts'
import type { Day } from '../domain/day.ts'
import { amountOf, kept, keptUntil, standing } from './condition.ts'
import type { Found } from './find-subject.ts'
import type { Entry, Model } from './model.ts'
import { reachFor } from './reach.ts'
import { numberOf, type Session, textOf } from './session.ts'
import { bindings, qualified } from './sql-text.ts'

/** The datasets that a task is about. */
export const entriesIn = ({ entries }: Model, { scope }: TaskCall): Entry[] =>
  scope.datasets.flatMap(name => entries.get(name) ?? [])

/** How many rows and files of a table stand that are the person's. */
export async function countOf(session: Session, model: Model, found: Found, entry: Entry): Promise<number> {
  const bound = bindings()
  const where = standing(reachFor(model, found, bound), entry, 't', bound)
  const [row] = await session.query(
    `SELECT ${amountOf(entry, 't')} FROM ${qualified(entry.table)} t WHERE ${where}`,
    bound.values,
  )
  return numberOf(row)
}

/** How many of them the law has kept, and until when the last of them. */
export async function keptOf(
  session: Session,
  model: Model,
  found: Found,
  { entry, today }: { entry: Entry; today: Day },
): Promise<{ count: number; until: string }> {
  const bound = bindings()
  const until = keptUntil(model, entry, 't', today, bound)
  if (!until) return { count: 0, until: '' }
  const reach = reachFor(model, found, bound)
  const [row] = await session.query(
    `SELECT ${amountOf(entry, 't')}, to_char(max(${until}), 'YYYY-MM-DD') FROM ${qualified(entry.table)} t
     WHERE ${reach.own(entry, 't')} AND ${kept(model, entry, 't', today, bound)}`,
    bound.values,
  )
  return { count: numberOf(row), until: textOf(row?.[1]) }
}

/** What stands of each dataset. */
export async function locate(session: Session, model: Model, found: Found, task: TaskCall): Promise<DatasetAnswer[]> {
  const datasets: DatasetAnswer[] = []
  for (const entry of entriesIn(model, task)) {
    const count = await countOf(session, model, found, entry)
    datasets.push({ name: entry.name, outcome: count > 0 ? 'completed' : 'no_data', count })
  }
  return datasets
}

/** Nobody is known who left nothing: not even a row of the subject. */
export const answered = ({ isThere, matched }: Found, datasets: DatasetAnswer[]): Answer =>
  !isThere && datasets.every(({ count = 0, outcome }) => count === 0 && outcome === 'no_data')
    ? { kind: 'unknown' }
    : { kind: 'result', matched, datasets }
