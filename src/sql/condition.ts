import { type Day, isDay } from '../domain/day.ts'
import type { Erase, Target } from './description.ts'
import { type Entry, type Model, owned } from './model.ts'
import type { Reach } from './reach.ts'
import { type Bindings, column, qualified } from './sql-text.ts'

type Targets = Readonly<Record<string, Target>>

/** What stands-ins begin with, and how many characters of a digest follow. */
export const STAND_IN = { before: 'erased-', digits: 16 } as const

/** What is done to rows of a table whose time is over, or to all of it. */
export const actionOf = (erase: Erase): NonNullable<Erase['afterwards']> =>
  erase.action === 'retain'
    ? (erase.afterwards ?? { action: 'delete' })
    : { action: erase.action, ...(erase.columns && { columns: erase.columns }) }

/** Whether no path leads to a row any more once these columns were changed. */
export const cutsOff = (entry: Entry, targets: Targets): boolean =>
  !entry.isSubject && owned(entry).every(({ columns }) => columns.some(name => (targets[name]?.to ?? 'hash') !== 'hash'))

/** Whether a row shows that it was anonymised: by a stand-in, or by a word. */
export const leavesMark = (targets: Targets): boolean =>
  Object.values(targets).some(({ to, value }) => to === 'hash' || (typeof value === 'string' && value.trim() !== ''))

/** Rows that were not anonymised before: those that were and are still led to are the person's no more. True for all other tables. */
export function untouched(entry: Entry, alias: string, { bind }: Bindings): string {
  const { action, columns = {} } = actionOf(entry.described.erase)
  if (action !== 'anonymise' || cutsOff(entry, columns)) return 'true'
  const holds = Object.entries(columns).map(([name, { to, value, suffix = '' }]) => {
    const held = column(alias, name)
    if (to === 'nothing') return `${held} IS NULL`
    if (to === 'hash')
      return `coalesce(${held}::text ~ ${bind(`^${STAND_IN.before}[0-9a-f]{${STAND_IN.digits}}${escaped(suffix)}$`)}, false)`
    return `${held} IS NOT DISTINCT FROM ${bind(String(value))}::${entry.table.columns.get(name)?.type}`
  })
  return `NOT (${holds.join(' AND ')})`
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\@-]/g, '\\$&')

/** The table by whose date rows of a table are kept: its own, or one on the way to the person. */
export function dated(entries: Model['entries'], entry: Entry): Entry {
  const { action, fromTable } = entry.described.erase
  const next = action === 'retain' && fromTable !== undefined ? entries.get(fromTable) : undefined
  return next ? dated(entries, next) : entry
}

/**
 * The day until which a row is kept, as an expression; undefined for a table of which nothing is kept. A row without a date counts as of
 * today. Whole numbers are seconds since 1970.
 */
export function keptUntil({ entries }: Model, entry: Entry, alias: string, today: Day, { bind }: Bindings): string | undefined {
  const { action, from = '', for: period } = entry.described.erase
  if (action !== 'retain' || !period) return undefined
  const now = `${bind(isDay(today) ? today : '')}::date`
  return `(coalesce(${dateOf(entries, entry, alias, from)}, ${now}) + ${bind(period)}::interval)::date`
}

function dateOf(entries: Model['entries'], entry: Entry, alias: string, from: string): string {
  const { action, fromTable } = entry.described.erase
  const edge = action === 'retain' ? entry.edges.find(({ via }) => via === fromTable) : undefined
  const holder = edge && entries.get(edge.via)
  if (!edge || !holder) return dayOf(entry, alias, from)
  const next = `${alias}k`
  const joined = edge.columns.map((name, i) => `${column(next, edge.viaColumns[i] ?? '')} = ${column(alias, name)}`).join(' AND ')
  return `(SELECT max(${dateOf(entries, holder, next, from)}) FROM ${qualified(holder.table)} ${next} WHERE ${joined})`
}

/** The day in a column, whatever it is kept as; in UTC. */
function dayOf({ table }: Entry, alias: string, name: string): string {
  const held = column(alias, name)
  const { base, category } = table.columns.get(name) ?? {}
  if (category === 'N') return `(to_timestamp(${held}) AT TIME ZONE 'UTC')::date`
  return base === 'timestamptz' ? `(${held} AT TIME ZONE 'UTC')::date` : `${held}::date`
}

/** Rows of a table that the law has kept on a day; `false` where nothing is kept. */
export function kept(model: Model, entry: Entry, alias: string, today: Day, bindings: Bindings): string {
  const until = keptUntil(model, entry, alias, today, bindings)
  return until ? `(${until} > ${bindings.bind(today)}::date)` : 'false'
}

/** How much there is of a table: its rows, and the files in them. */
export const amountOf = ({ described }: Entry, alias: string): string =>
  [
    'count(*)',
    ...Object.entries(described.columns).flatMap(([name, { file }]) => (file ? `count(${column(alias, name)})` : [])),
  ].join(' + ')

/** Everything of the person in a table that stands. */
export const standing = (reach: Reach, entry: Entry, alias: string, bindings: Bindings): string =>
  `${reach.all(entry, alias)} AND ${untouched(entry, alias, bindings)}`
