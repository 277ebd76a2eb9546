import { readCatalogue } from './catalogue.ts'
import type { Description } from './description.ts'
import { draft } from './draft.ts'
import type { Finding } from './finding.ts'
import { lint } from './lint.ts'
import type { Roles } from './lint-rights.ts'
import { inTransaction, withSession } from './session.ts'

/** Holds a description against the database of an address, as whoever logs in there. */
export const lintDatabase = async (connectionString: string, description: Description, roles: Roles): Promise<Finding[]> =>
  (await withSession({ connectionString }, session => lint(session, description, roles))).findings

/** A draft for the database of an address. @param subject `schema.table.column` or `table.column`, the column of the number of a person */
export async function draftFor(connectionString: string, subject: string, name: string): Promise<unknown> {
  const catalogue = await withSession({ connectionString }, session =>
    inTransaction(session, 'reading', () => readCatalogue(session)),
  )
  const table =
    catalogue.get(subject.slice(0, subject.lastIndexOf('.'))) ??
    catalogue.get(`public.${subject.slice(0, subject.lastIndexOf('.'))}`)
  const keyed = subject.slice(subject.lastIndexOf('.') + 1)
  if (!table?.columns.has(keyed)) throw new Error(`There is no ${subject} in that database.`)
  return draft(catalogue, { subject: table, keyed, name })
}
