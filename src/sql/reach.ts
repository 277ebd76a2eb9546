import type { Column } from './catalogue.ts'
import { type Edge, type Entry, type Model, owned } from './model.ts'
import { type Bindings, column, qualified } from './sql-text.ts'

/**
 * What is known of the person: the rows of the subject, by column, and the values by which other tables know the person. Those are
 * known of a subject whose row is gone, too, where an identity is what other tables hold.
 */
export interface Known {
  rows: Readonly<Record<string, string | null>>[]
  values: ReadonlyMap<string, readonly string[]>
}

const PLAIN_TEXT = new Set(['text', 'varchar', 'bpchar'])

/** The type in which values of the subject are compared with those of a column that holds them: an index has to be of use. */
const comparedAs = (held: Column | undefined, named: Column | undefined): string =>
  held?.category === 'S' ? (PLAIN_TEXT.has(held.base) ? 'text' : held.type) : (named?.type ?? 'text')

/** Makes the conditions under which rows are a person's. */
export function reachFor({ subject, entries }: Model, known: Known, { bind }: Bindings) {
  let aliases = 0

  const direct = (entry: Entry, { columns, viaColumns, ignoreCase }: Edge, alias: string): string => {
    const typeAt = (i: number) =>
      comparedAs(entry.table.columns.get(columns[i] ?? ''), subject.table.columns.get(viaColumns[i] ?? ''))
    const [only = '', second] = viaColumns
    if (second === undefined) {
      const values = [...(known.values.get(only) ?? [])]
      const held = column(alias, columns[0] ?? '')
      if (ignoreCase) return `lower(${held}::text) IN (SELECT lower(v) FROM unnest(${bind(values)}::text[]) v)`
      return `${held} = ANY (${bind(values)}::${typeAt(0)}[])`
    }
    const lists = viaColumns.map((name, i) => `${bind(known.rows.map(row => row[name] ?? null))}::${typeAt(i)}[]`)
    return `(${columns.map(name => column(alias, name)).join(', ')}) IN (SELECT * FROM unnest(${lists.join(', ')}))`
  }

  const along = (entry: Entry, edge: Edge, alias: string): string => {
    const via = entries.get(edge.via)
    if (!via) return 'false'
    if (via.isSubject) return direct(entry, edge, alias)
    const next = `t${++aliases}`
    const spelled = (of: string, names: readonly string[]) =>
      names.map(name => (edge.ignoreCase ? `lower(${column(of, name)}::text)` : column(of, name))).join(', ')
    const sought = `SELECT ${spelled(next, edge.viaColumns)} FROM ${qualified(via.table)} ${next} WHERE ${ofEdges(via, owned(via), next)}`
    return `(${spelled(alias, edge.columns)}) IN (${sought})`
  }

  const itself = ({ table }: Entry, alias: string): string => {
    const key = table.primaryKey.map(name => ({ name, columns: [name], viaColumns: [name] }))
    const lists = key.map(({ name }) => `${bind(known.rows.map(row => row[name] ?? null))}::${table.columns.get(name)?.type}[]`)
    return `(${key.map(({ name }) => column(alias, name)).join(', ')}) IN (SELECT * FROM unnest(${lists.join(', ')}))`
  }

  const ofEdges = (entry: Entry, edges: readonly Edge[], alias: string): string => {
    if (entry.isSubject) return itself(entry, alias)
    return edges.length === 0 ? 'false' : `(${edges.map(edge => along(entry, edge, alias)).join(' OR ')})`
  }

  return {
    /** Every row that leads to the person. */
    all: (entry: Entry, alias: string) => ofEdges(entry, entry.edges, alias),
    /** Those that are the person's own. */
    own: (entry: Entry, alias: string) => ofEdges(entry, owned(entry), alias),
    /** Those that lead there by one path. */
    along,
  }
}
export type Reach = ReturnType<typeof reachFor>
