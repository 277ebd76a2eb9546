import type { Day } from '../domain/day.ts'
import { clearable } from './catalogue.ts'
import { actionOf, kept, STAND_IN, untouched } from './condition.ts'
import type { Target } from './description.ts'
import type { Link } from './erasure-steps.ts'
import type { Found } from './find-subject.ts'
import type { Entry, Model } from './model.ts'
import { reachFor } from './reach.ts'
import { type Bindings, bindings, column, qualified, quoted } from './sql-text.ts'

export interface Statement {
  text: string
  values: unknown[]
}

/** A change of so many rows at once, and how many rows it is to be made of. */
export interface Change extends Statement {
  outstanding: Statement
}

export interface Erasing {
  model: Model
  found: Found
  today: Day
  /** So many rows are changed at once. */
  batch: number
  /** Thrown away afterwards: nobody can tell a stand-in from what it stands for. */
  salt: string
}

/** Everything that is done to one table, in this order; each is repeated until it changes no more rows. */
export function statementsFor(erasing: Erasing, entry: Entry): Change[] {
  const { action, columns = {} } = actionOf(entry.described.erase)
  const own = statement(erasing, entry, bound => {
    const reach = reachFor(erasing.model, erasing.found, bound)
    return `${reach.own(entry, 't')} AND ${untouched(entry, 't', bound)} AND NOT ${kept(erasing.model, entry, 't', erasing.today, bound)}`
  })
  const erased =
    action === 'delete'
      ? [own.deleted()]
      : action === 'anonymise'
        ? [own.set(bound => changes(erasing, entry, columns, bound))]
        : []
  const detached = entry.edges
    .filter(edge => edge.detached || action === 'detach')
    .map(edge =>
      statement(erasing, entry, bound => {
        const { along } = reachFor(erasing.model, erasing.found, bound)
        const keep = edge.detached ? 'false' : kept(erasing.model, entry, 't', erasing.today, bound)
        return `${along(entry, edge, 't')} AND NOT ${keep}`
      }).set(() => clearable(entry.table, edge.columns).map(name => `${quoted(name)} = NULL`)),
    )
  return [...erased, ...detached]
}

/** Clears a pointer of the person's rows to such rows of theirs as will be deleted. */
export function clearing(erasing: Erasing, { from, to, key }: Link): Change {
  return statement(erasing, from, bound => {
    const reach = reachFor(erasing.model, erasing.found, bound)
    const own = key.columns.map(name => column('t', name)).join(', ')
    const theirs = key.toColumns.map(name => column('p', name)).join(', ')
    const goes = `${reach.own(to, 'p')} AND NOT ${kept(erasing.model, to, 'p', erasing.today, bound)}`
    return `${reach.own(from, 't')} AND (${own}) IN (SELECT ${theirs} FROM ${qualified(to.table)} p WHERE ${goes})`
  }).set(() => clearable(from.table, key.columns).map(name => `${quoted(name)} = NULL`))
}

/** Changes so many rows that meet a condition. Where somebody changes one of them meanwhile, it is left to the next time. */
function statement({ batch }: Erasing, { table }: Entry, where: (bound: Bindings) => string) {
  const chosen = (bound: Bindings, places: string) =>
    `SELECT ${places} FROM ${qualified(table)} t WHERE ${where(bound)} LIMIT ${bound.bind(batch)}`
  const among = (bound: Bindings) =>
    table.partitioned
      ? `(x.tableoid, x.ctid) IN (${chosen(bound, 't.tableoid, t.ctid')})`
      : `x.ctid = ANY (ARRAY(${chosen(bound, 't.ctid')}))`
  const written = (write: (bound: Bindings) => string): Statement => {
    const bound = bindings()
    return { text: write(bound), values: bound.values }
  }
  const outstanding = written(bound => `SELECT count(*) FROM ${qualified(table)} t WHERE ${where(bound)}`)
  return {
    deleted: (): Change => ({ ...written(bound => `DELETE FROM ${qualified(table)} x WHERE ${among(bound)}`), outstanding }),
    set: (changed: (bound: Bindings) => string[]): Change => ({
      ...written(bound => `UPDATE ${qualified(table)} x SET ${changed(bound).join(', ')} WHERE ${among(bound)}`),
      outstanding,
    }),
  }
}

const changes = ({ salt }: Erasing, { table }: Entry, targets: Readonly<Record<string, Target>>, { bind }: Bindings): string[] =>
  Object.entries(targets).map(([name, { to, value, suffix = '' }]) => {
    if (to === 'nothing') return `${quoted(name)} = NULL`
    if (to === 'constant') return `${quoted(name)} = ${bind(String(value))}::${table.columns.get(name)?.type}`
    const salted = `convert_to(${bind(salt)}::text || coalesce(${column('x', name)}::text, x.ctid::text), 'UTF8')`
    const digest = `left(encode(sha256(${salted}), 'hex'), ${STAND_IN.digits})`
    return `${quoted(name)} = ${bind(STAND_IN.before)}::text || ${digest} || ${bind(suffix)}::text`
  })
