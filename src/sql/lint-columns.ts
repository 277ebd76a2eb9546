import type { Column } from './catalogue.ts'
import { dated } from './condition.ts'
import type { Finding } from './finding.ts'
import type { Entry, Model } from './model.ts'
import { pointer } from './read-description.ts'

type Is = (column: Column) => string | false

const anything: Is = () => false
const aText: Is = ({ category }) => category !== 'S' && 'is not a text column'
const aFlag: Is = ({ category }) => category !== 'B' && 'is not a boolean column'
const bytes: Is = ({ base }) => base !== 'bytea' && 'is not a bytea column'
const aDate: Is = ({ category, base }) =>
  !(category === 'N' || base === 'date' || base.startsWith('timestamp')) && 'is neither a date, a time nor seconds since 1970'
const correctable: Is = ({ category, base, generated }) => {
  if (generated) return 'is generated'
  return !'NSBDE'.includes(category) && base !== 'uuid' && base !== 'inet' && 'is not of a type that can be compared'
}

/** A column that a description names, at which place, and what it has to be. */
interface Named {
  entry: Entry
  name: string
  at: string
  is: Is
}

/** Every column that a description names is there, and of a kind that does what it is for. */
export function lintColumns(model: Model): Finding[] {
  return namedIn(model).flatMap(({ entry, name, at, is }) => {
    const column = entry.table.columns.get(name)
    const detail = column ? is(column) : `there is no column '${name}' in ${entry.table.schema}.${entry.table.name}`
    return detail ? [{ kind: 'error' as const, pointer: at, detail }] : []
  })
}

function namedIn({ description, subject, entries }: Model): Named[] {
  const inSubject = (name: string | undefined, at: string, is: Is = anything): Named[] =>
    name === undefined ? [] : [{ entry: subject, name, at, is }]
  const { identities, restriction } = description.subject
  const { contactPoints = [], name, locale, country } = description.resolve ?? {}
  return [
    ...Object.entries(identities).flatMap(([type, { column }]) => inSubject(column, pointer('subject', 'identities', type))),
    ...inSubject(restriction?.column, '/subject/restriction/column', aFlag),
    ...Object.entries({ name, locale, country }).flatMap(([key, column]) => inSubject(column, pointer('resolve', key), aText)),
    ...contactPoints.flatMap(({ table, column, since, verified }, i) => {
      const entry = table === undefined ? subject : entries.get(table)
      const at = (key: string) => pointer('resolve', 'contactPoints', i, key)
      if (!entry) return []
      return [
        { entry, name: column, at: at('column'), is: aText },
        { entry, name: since, at: at('since'), is: aDate },
        ...(verified === true ? [] : [{ entry, name: verified, at: at('verified'), is: aFlag }]),
      ]
    }),
    ...[...entries.values()].flatMap(entry => namedBy(entry, entries)),
  ]
}

function namedBy(entry: Entry, entries: Model['entries']): Named[] {
  const { name: table, described, edges } = entry
  const { columns, erase, restriction } = described
  const at = (...more: (string | number)[]) => pointer('tables', table, ...more)
  const named = (name: string | undefined, place: string, is: Is = anything, of = entry): Named[] =>
    name === undefined ? [] : [{ entry: of, name, at: place, is }]
  const changed = { ...erase.columns, ...erase.afterwards?.columns }
  return [
    ...Object.entries(columns).flatMap(([name, { file, rectify }]) => [
      ...named(name, at('columns', name), file ? bytes : rectify ? correctable : anything),
      ...named(file?.name, at('columns', name, 'file', 'name')),
    ]),
    ...edges.flatMap(({ at: i, via, columns: here, viaColumns: there }) => [
      ...here.flatMap(name => named(name, at('paths', i))),
      ...there.flatMap(name => named(name, at('paths', i), anything, entries.get(via))),
    ]),
    ...Object.keys(changed).flatMap(name => named(name, at('erase', 'columns', name))),
    ...named(erase.from, at('erase', 'from'), aDate, dated(entries, entry)),
    ...named(restriction?.column, at('restriction', 'column'), aFlag),
  ]
}
