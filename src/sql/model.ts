import { type Catalogue, type ForeignKey, keyNamed, type Table } from './catalogue.ts'
import type { DescribedTable, Description } from './description.ts'
import type { Finding } from './finding.ts'
import { pointer } from './read-description.ts'

/** Columns of a table that hold values of columns of the next one on the way to the subject. */
export interface Edge {
  /** Its place among the paths of the description. */
  at: number
  via: string
  columns: string[]
  viaColumns: string[]
  ignoreCase: boolean
  /** Of rows that only lead to the person by this, nothing is erased but this. */
  detached: boolean
}

/** A table as it is described, with what is known of it. It is a dataset; one table may be several. */
export interface Entry {
  name: string
  described: DescribedTable
  table: Table
  edges: Edge[]
  isSubject: boolean
}

/** A description that has been held against the database. */
export interface Model {
  description: Description
  subject: Entry
  entries: ReadonlyMap<string, Entry>
}

/** The tables that a description names, as `schema.table`. */
export const tablesOf = ({ tables }: Description): string[] =>
  Object.entries(tables).map(([name, { table = name }]) => keyNamed(table))

/** Finds what is described in the database. Without a model where something is missing; the findings then say what. */
export function findDescribed(description: Description, catalogue: Catalogue): { model?: Model; findings: Finding[] } {
  const findings: Finding[] = []
  const entries = new Map<string, Entry>()
  for (const [name, described] of Object.entries(description.tables)) {
    const table = catalogue.get(keyNamed(described.table ?? name))
    const isSubject = name === description.subject.table
    if (table) entries.set(name, { name, described, table, isSubject, edges: [] })
    else findings.push({ kind: 'error', pointer: pointer('tables', name), detail: 'there is no such table, or it is a view' })
  }
  for (const entry of entries.values()) entry.edges = edgesOf(entry, entries, findings)
  const subject = entries.get(description.subject.table)
  return findings.length > 0 || !subject ? { findings } : { model: { description, subject, entries }, findings }
}

function edgesOf({ name, described, table }: Entry, entries: ReadonlyMap<string, Entry>, findings: Finding[]): Edge[] {
  return (described.paths ?? []).flatMap(({ via, on, ignoreCase = false, onErase }, at) => {
    const target = entries.get(via)
    if (!target) return []
    const keys = table.foreignKeys.filter(({ to }) => to === `${target.table.schema}.${target.table.name}`)
    const key = on ? { columns: Object.keys(on), toColumns: Object.values(on) } : only(keys)
    if (key) return [{ at, via, columns: key.columns, viaColumns: key.toColumns, ignoreCase, detached: onErase === 'detach' }]
    const detail = `${keys.length} foreign keys lead there: say which columns, in 'on'`
    findings.push({ kind: 'error', pointer: pointer('tables', name, 'paths', at), detail })
    return []
  })
}

const only = (keys: readonly ForeignKey[]): ForeignKey | undefined => (keys.length === 1 ? keys[0] : undefined)

/** Paths by which a row is the person's own. */
export const owned = ({ edges }: Entry): Edge[] => edges.filter(({ detached }) => !detached)

/** Columns of the subject that lead to rows elsewhere. */
export function handlesOf({ subject, entries }: Model): string[] {
  const used = [...entries.values()].flatMap(({ edges }) => edges.filter(({ via }) => via === subject.name))
  return [...new Set([...subject.table.primaryKey, ...used.flatMap(({ viaColumns }) => viaColumns)])]
}
