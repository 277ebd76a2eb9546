import { type Catalogue, type Column, keyOf, type Table } from './catalogue.ts'
import type { DescribedTable, Description } from './description.ts'
import { pointingIn } from './lint-coverage.ts'
import { findDescribed } from './model.ts'
import { CHOOSE } from './read-description.ts'

/**
 * A first draft of a description from what there is: the subject's table and every table that foreign keys lead to it from, at any depth.
 * What only people know says `choose`, and the lint refuses it until it says something else: also why a column that points at people
 * is to be ignored, which may be no good idea.
 */
export function draft(catalogue: Catalogue, { subject, keyed, name }: { subject: Table; keyed: string; name: string }): unknown {
  const reached = tablesBehind(catalogue, subject)
  const names = datasetNames([...reached.keys()])
  const email = [...subject.columns.values()].find(({ name: column, category }) => category === 'S' && /e_?mail/i.test(column))
  const identities = { user_id: { column: keyed }, ...(email && { email: { column: email.name, ignoreCase: true } }) }
  const tables = Object.fromEntries([...reached].map(([table, keys]) => [names.get(table) ?? '', described(table, keys, names)]))
  const drafted: Description = { version: 1, name, subject: { table: names.get(subject) ?? '', identities }, tables }
  const { model } = findDescribed(drafted, catalogue)
  const pointing = model ? pointingIn(model, catalogue) : []
  const chosen = Object.entries(tables).map(([table, of]) => [table, { ...of, origin: CHOOSE, erase: { action: CHOOSE } }])
  const ignored = pointing.flatMap(({ places }) => places.slice(-1)).map(column => ({ column, because: CHOOSE }))
  return { ...drafted, tables: Object.fromEntries(chosen), ...(ignored.length > 0 && { ignored }) }
}

/** Stands in for what is to be chosen, where only words of a list are taken. */
const FOR_NOW = { origin: 'provided', erase: { action: 'delete' } } as const

function described(table: Table, keys: readonly Key[], names: ReadonlyMap<Table, string>): DescribedTable {
  const paths = keys.map(({ to, columns, toColumns }) => ({
    via: names.get(to) ?? '',
    on: Object.fromEntries(columns.map((column, i) => [column, toColumns[i] ?? ''])),
  }))
  const leading = keys.flatMap(key => key.columns)
  return {
    table: keyOf(table),
    title: titleOf(table.name),
    category: CHOOSE,
    ...FOR_NOW,
    purposes: [CHOOSE],
    legalBases: [CHOOSE],
    retention: CHOOSE,
    ...(paths.length > 0 && { paths }),
    columns: Object.fromEntries(shownIn(table, leading).map(column => [column.name, { title: titleOf(column.name) }])),
    erase: { ...FOR_NOW.erase },
  }
}

interface Key {
  to: Table
  columns: string[]
  toColumns: string[]
}

/** Each table with the foreign keys by which it leads to one that was found before it; nearest first, so that no path goes in a circle. */
function tablesBehind(catalogue: Catalogue, subject: Table): Map<Table, Key[]> {
  const reached = new Map<Table, Key[]>([[subject, []]])
  for (let grew = true; grew; ) {
    const before = [...reached.keys()]
    for (const table of catalogue.values()) {
      if (reached.has(table)) continue
      const keys = table.foreignKeys.flatMap(({ to, columns, toColumns }) => {
        const target = before.find(one => keyOf(one) === to)
        return target ? [{ to: target, columns, toColumns }] : []
      })
      if (keys.length > 0) reached.set(table, keys)
    }
    grew = reached.size > before.length
  }
  return reached
}

/** What can be handed over: numbers that only lead on, and what is kept of passwords, cannot. */
const shownIn = (table: Table, leading: readonly string[]): Column[] => {
  const shown = [...table.columns.values()].filter(
    ({ name }) => !leading.includes(name) && !/passw|secret|token|hash|salt/i.test(name),
  )
  return shown.length > 0 ? shown : [...table.columns.values()]
}

const titleOf = (name: string): string => {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

function datasetNames(tables: readonly Table[]): Map<Table, string> {
  const taken = new Set<string>()
  return new Map(
    tables.map(table => {
      const plain =
        table.name
          .toLowerCase()
          .replace(/[^a-z0-9_]+/g, '_')
          .replace(/^[^a-z]+/, '')
          .slice(0, 60) || 'table'
      let name = plain
      for (let i = 2; taken.has(name); i++) name = `${plain.slice(0, 58)}_${i}`
      taken.add(name)
      return [table, name]
    }),
  )
}
