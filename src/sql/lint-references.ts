import { type Catalogue, type ForeignKey, keyOf, type Table } from './catalogue.ts'
import { actionOf, cutsOff } from './condition.ts'
import type { Finding } from './finding.ts'
import type { Entry, Model } from './model.ts'
import { pointer } from './read-description.ts'

/** What the foreign keys of others make of deleting rows: whether it fails, or takes with it what is somebody else's. */
export const lintReferences = (model: Model, catalogue: Catalogue): Finding[] =>
  [...model.entries.values()]
    .filter(({ described }) => actionOf(described.erase).action === 'delete')
    .flatMap(to =>
      [...catalogue.values()].flatMap(table =>
        table.foreignKeys.filter(key => key.to === keyOf(to.table)).flatMap(key => judge(model, to, table, key)),
      ),
    )

function judge(model: Model, to: Entry, table: Table, key: ForeignKey): Finding[] {
  const at = pointer('tables', to.name, 'erase')
  const who = `${keyOf(table)} (${key.name})`
  const pointing = [...model.entries.values()].filter(entry => entry.table === table)
  const through = pointing.filter(({ edges }) =>
    edges.some(edge => edge.via === to.name && sameColumns(edge.columns, key.columns)),
  )
  if (through.length === 0) {
    if (table === to.table) return [] // a pointer within one table is told of with the order
    if (key.onDelete === 'c')
      return [{ kind: 'error', pointer: at, detail: `would take rows of ${who} with it that are not found as the person's` }]
    const detail =
      key.onDelete === 'n' || key.onDelete === 'd'
        ? `rows of ${who} that are not the person's lose their pointer`
        : `fails where rows of ${who} that are not the person's point at what is deleted`
    return [{ kind: 'warning', pointer: at, detail }]
  }
  return through.every(entry => staysPointing(entry, key))
    ? [{ kind: 'error', pointer: at, detail: `rows of ${who} are not deleted, and point at it` }]
    : []
}

const sameColumns = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every(name => others.includes(name))

/** Whether rows may be left that still point there: kept ones, and anonymised ones whose pointer is left as it is. */
function staysPointing(entry: Entry, key: ForeignKey): boolean {
  const { erase } = entry.described
  if (erase.action === 'retain') return true
  const { action, columns = {} } = actionOf(erase)
  if (action !== 'anonymise') return false
  return (
    !cutsOff(entry, columns) || !key.columns.some(name => columns[name]?.to === 'nothing' || columns[name]?.to === 'constant')
  )
}
