import pg from 'pg'
import type { Correction, DatasetAnswer, TaskCall } from '../adapters/protocol.ts'
import type { Found } from './find-subject.ts'
import { entriesIn } from './locate.ts'
import type { Entry, Model } from './model.ts'
import { reachFor } from './reach.ts'
import { inTransaction, type Session } from './session.ts'
import { bindings, column, qualified, quoted } from './sql-text.ts'

/** Why corrections were not made, none of them. */
class Refusal extends Error {}

/**
 * Makes all corrections or none: in rows of the person that are as a correction says they are, or as it says they should be (then it was
 * made before). Where one cannot be made, its dataset says why.
 */
export async function rectify(session: Session, model: Model, found: Found, task: TaskCall): Promise<DatasetAnswer[]> {
  const { corrections = [] } = task.parameters as { corrections?: readonly Correction[] }
  const counts = new Map(entriesIn(model, task).map(({ name }) => [name, 0]))
  const answers = (reason?: string): DatasetAnswer[] =>
    [...counts].map(([name, count]) => {
      const isMeant = corrections.some(({ dataset }) => dataset === name)
      if (reason !== undefined && isMeant) return { name, outcome: 'refused', count: 0, reason }
      return { name, outcome: isMeant ? 'completed' : 'no_data', count: reason === undefined ? count : 0 }
    })
  try {
    await inTransaction(session, 'changing', async () => {
      for (const correction of corrections) {
        const entry = model.entries.get(correction.dataset)
        if (!entry || !counts.has(entry.name)) continue
        counts.set(entry.name, (counts.get(entry.name) ?? 0) + (await correct(session, model, found, { entry, correction })))
      }
    })
    return answers()
  } catch (error) {
    if (error instanceof Refusal) return answers(error.message)
    // A value that is not of the column's type, is somebody else's already or breaks another rule.
    if (error instanceof pg.DatabaseError && /^2[23]/.test(error.code ?? '')) return answers('not_possible')
    throw error
  }
}

async function correct(
  session: Session,
  model: Model,
  found: Found,
  { entry, correction: { field, from, to } }: { entry: Entry; correction: Correction },
): Promise<number> {
  if (!entry.described.columns[field]?.rectify) throw new Refusal('not_correctable')
  const bound = bindings()
  const { type = 'text' } = entry.table.columns.get(field) ?? {}
  const written = (value: Correction['to']) => `${bound.bind(value === null ? null : String(value))}::text::${type}`
  const held = column('t', field)
  const changed = await session.change(
    `UPDATE ${qualified(entry.table)} t SET ${quoted(field)} = ${written(to)}
     WHERE ${reachFor(model, found, bound).own(entry, 't')} AND (${held} IS NOT DISTINCT FROM ${written(from)} OR ${held} IS NOT DISTINCT FROM ${written(to)})`,
    bound.values,
  )
  if (changed === 0) throw new Refusal('not_as_stated')
  return changed
}
