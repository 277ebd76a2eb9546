import { type Catalogue, type Column, keyOf, type Table } from './catalogue.ts'
import type { Finding } from './finding.ts'
import type { Entry, Model } from './model.ts'

/** Columns of a table by which its rows lead to a person, and why they are taken for such. */
interface Pointing {
  columns: string[]
  why: string
}

const PERSON =
  'user|usr|person|member|customer|client|owner|author|creator|editor|student|learner|teacher|grader|employee|participant|recipient|sender|assignee|actor|patient'
/** These are people only as numbers: `account_id`, but not `account`. */
const PERHAPS = `${PERSON}|account|contact|profile|subject|login`
/** `createdBy` and `usermodified` are in as many spellings as there are programmers. */
const BY = /(^|_)(by|[a-z]+(ed|en)_?by)(_id)?$/
const EMAIL = /(^|_)e_?mail(_?address)?$/

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()

/** `Customers` and `mdl_user` speak of a customer and a user. */
const singular = (name: string): string => {
  const last = snake(name).split('_').at(-1) ?? ''
  return last
    .replace(/[^a-z]/g, '')
    .replace(/ies$/, 'y')
    .replace(/(?<=...)s$/, '')
}

/**
 * Every column of the database that points at the subject is a path, or is ignored for a reason that somebody wrote down: by a foreign
 * key, to the subject or to any described table, or by a name such as `user_id`, `created_by`, `email`. What nobody thought of fails here.
 */
export function lintCoverage(model: Model, catalogue: Catalogue): Finding[] {
  const { ignored = [] } = model.description
  const pointing = pointingIn(model, catalogue)
  const isIgnored = (place: string) => ignored.some(({ column }) => column === place)
  const missing = pointing
    .filter(({ places }) => !places.some(isIgnored))
    .map(({ places, why }): Finding => {
      const detail = `${places.join(', ')} ${why}: make it a path of its table, or list it here with the reason why not`
      return { kind: 'error', pointer: '/ignored', detail }
    })
  const idle = ignored.flatMap(({ column }, i): Finding[] =>
    pointing.some(({ places }) => places.includes(column))
      ? []
      : [{ kind: 'warning', pointer: `/ignored/${i}`, detail: `${column} points at nobody, or is described` }],
  )
  return [...missing, ...idle]
}

/** Columns that point at people and are no path, as `schema.table.column`, and why they are taken for such. */
export const pointingIn = (model: Model, catalogue: Catalogue): { places: string[]; why: string }[] =>
  [...catalogue.values()].flatMap(table =>
    [...byKey(model, table), ...byName(model, table)].map(({ columns, why }) => ({
      places: columns.map(name => `${keyOf(table)}.${name}`),
      why,
    })),
  )

const entriesOf = ({ entries }: Model, table: Table): Entry[] => [...entries.values()].filter(entry => entry.table === table)

const isPath = (entries: readonly Entry[], columns: readonly string[]): boolean =>
  entries.some(({ edges }) => edges.some(edge => columns.every(name => edge.columns.includes(name))))

function byKey(model: Model, table: Table): Pointing[] {
  const described = new Set([...model.entries.values()].map(entry => keyOf(entry.table)))
  return table.foreignKeys
    .filter(({ to, columns }) => described.has(to) && !isPath(entriesOf(model, table), columns))
    .map(({ columns, to, name }) => ({ columns, why: `points at ${to} (${name})` }))
}

function byName(model: Model, table: Table): Pointing[] {
  const entries = entriesOf(model, table)
  const { subject } = model
  const numbers = identityColumns(model).filter(name => !EMAIL.test(snake(name)))
  const keys = [...new Set([...subject.table.primaryKey, ...numbers])].flatMap(name => subject.table.columns.get(name) ?? [])
  const linked = table.foreignKeys.flatMap(({ columns }) => columns)
  return [...table.columns.values()]
    .filter(column => !linked.includes(column.name) && !isPath(entries, [column.name]))
    .filter(({ name }) => table !== subject.table || ![...subject.table.primaryKey, ...identityColumns(model)].includes(name))
    .flatMap(column => {
      const isTold = entries.some(({ described }) => described.columns[column.name]?.thirdParty)
      const isData = entries.some(({ described }) => Object.hasOwn(described.columns, column.name))
      const ofSubject = table === subject.table && isData && !BY.test(snake(column.name))
      const why = isTold || ofSubject ? undefined : whyPointing(column, subject.table, keys, isData)
      return why ? [{ columns: [column.name], why }] : []
    })
}

const identityColumns = ({ description }: Model): string[] =>
  Object.values(description.subject.identities).map(({ column }) => column)

/** An address that is handed over with its row is described; whose number it is has to be said either way. */
function whyPointing(column: Column, subject: Table, keys: readonly Column[], isData: boolean): string | undefined {
  const name = snake(column.name)
  if (column.category === 'S' && EMAIL.test(name) && !isData) return 'looks like an address of a person'
  const isKind = keys.some(key => (key.category === 'U' ? key.base === column.base : key.category === column.category))
  const own = singular(subject.name) || 'user'
  const numbered = new RegExp(`(^|_)([a-z]*user|${PERHAPS}|${own})_?(id|uuid|guid|no|key|ref|fk)(from|to)?$`)
  const bare = new RegExp(`^(${PERSON}|${own})(_?modified|_?created)?$`)
  const isPointer = numbered.test(name) || bare.test(name) || BY.test(name)
  return isKind && isPointer ? 'looks like the number of a person' : undefined
}
