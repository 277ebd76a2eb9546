import type { DatasetAnswer, TaskCall } from '../adapters/protocol.ts'
import type { DescribedTable } from './description.ts'
import type { Found } from './find-subject.ts'
import { countOf, entriesIn } from './locate.ts'
import type { Entry, Model } from './model.ts'
import { reachFor } from './reach.ts'
import { inTransaction, type Session } from './session.ts'
import { bindings, qualified, quoted } from './sql-text.ts'

/**
 * Sets the flags by which the application knows that it may only store something, or takes them back. The flag of the subject is for
 * everything; a table without either cannot be restricted from here.
 */
export async function restrict(session: Session, model: Model, found: Found, task: TaskCall): Promise<DatasetAnswer[]> {
  const { subject, description } = model
  const answers: DatasetAnswer[] = []
  await inTransaction(session, 'changing', async () => {
    if (description.subject.restriction)
      await flag(session, model, found, { entry: subject, flag: description.subject.restriction, task })
    for (const entry of entriesIn(model, task)) {
      const { name, described } = entry
      if (described.restriction) await flag(session, model, found, { entry, flag: described.restriction, task })
      const isDone = described.restriction || description.subject.restriction
      const count = await countOf(session, model, found, entry)
      const outcome = count === 0 ? ('no_data' as const) : isDone ? ('completed' as const) : ('not_supported' as const)
      answers.push({ name, outcome, count })
    }
  })
  return answers
}

interface Flagging {
  entry: Entry
  flag: NonNullable<DescribedTable['restriction']>
  task: TaskCall
}

async function flag(
  session: Session,
  model: Model,
  found: Found,
  { entry, flag: { column, on = true, off = !on }, task }: Flagging,
) {
  const bound = bindings()
  const value = bound.bind(task.action === 'restrict' ? on : off)
  await session.change(
    `UPDATE ${qualified(entry.table)} t SET ${quoted(column)} = ${value}::boolean WHERE ${reachFor(model, found, bound).own(entry, 't')}`,
    bound.values,
  )
}
