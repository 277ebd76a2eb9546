import { clearable, type ForeignKey, keyOf } from './catalogue.ts'
import { actionOf } from './condition.ts'
import type { Finding } from './finding.ts'
import type { Entry, Model } from './model.ts'
import { pointer } from './read-description.ts'

/** A foreign key from rows of one table to rows of another that are deleted. */
export interface Link {
  from: Entry
  to: Entry
  key: ForeignKey
}

/** In which order tables are erased, and what is done so that foreign keys that go in a circle allow it. */
export interface ErasureSteps {
  order: Entry[]
  /** Foreign keys that are cleared first. */
  cleared: Link[]
  /** Those that are only checked at the end of a transaction, with the tables that are erased together for that. */
  deferred: { key: ForeignKey; schema: string; together: string[] }[]
  findings: Finding[]
}

const deletes = ({ described }: Entry): boolean => actionOf(described.erase).action === 'delete'
/** It can be cleared, and is no way to the person. */
const isBreakable = ({ from, key }: Link): boolean => {
  const cleared = clearable(from.table, key.columns)
  return cleared.length > 0 && !from.edges.some(({ columns }) => columns.some(name => cleared.includes(name)))
}

/** What points at what is deleted comes first, and what is found through another table before that: the subject is last. */
export function erasureSteps({ entries }: Model): ErasureSteps {
  const all = [...entries.values()]
  const later = new Map<string, Set<string>>(all.map(({ name }) => [name, new Set()]))
  for (const { name, edges } of all) for (const { via } of edges) later.get(name)?.add(via)
  const steps: ErasureSteps = { order: [], cleared: [], deferred: [], findings: [] }
  const closing: Link[] = []
  for (const link of linksAmong(all)) {
    const closes = link.from === link.to || (!isSameTable(link) && reaches(later, link.to.name, link.from.name))
    if (closes) closing.push(link)
    else if (!isSameTable(link)) later.get(link.from.name)?.add(link.to.name)
  }
  steps.order = inOrder(all, later)
  for (const link of closing) breakCircle(steps, link)
  return steps
}

const isSameTable = ({ from, to }: Link): boolean => from !== to && from.table === to.table

/** Those that cannot be broken are heeded first. */
function linksAmong(all: readonly Entry[]): Link[] {
  const links = all.flatMap(from =>
    from.table.foreignKeys.flatMap(key =>
      all.filter(to => keyOf(to.table) === key.to && deletes(to)).map(to => ({ from, to, key })),
    ),
  )
  return links.sort(
    (a, b) => Number(isBreakable(a)) - Number(isBreakable(b)) || Number(a.key.deferrable) - Number(b.key.deferrable),
  )
}

function breakCircle(steps: ErasureSteps, link: Link): void {
  const { from, to, key } = link
  const circle = from === to ? `${from.name} points at itself` : `${from.name} and ${to.name} point at each other`
  const tell = (kind: Finding['kind'], detail: string) =>
    steps.findings.push({ kind, pointer: pointer('tables', from.name), detail: `${circle} (${key.name}): ${detail}` })
  if (isBreakable(link)) {
    steps.cleared.push(link)
    tell('note', `${clearable(from.table, key.columns).join(', ')} of the person's rows is cleared first`)
  } else if (key.deferrable) {
    const names = steps.order.map(({ name }) => name)
    const [first = 0, last = 0] = [names.indexOf(to.name), names.indexOf(from.name)].sort((a, b) => a - b)
    steps.deferred.push({ key, schema: from.table.schema, together: names.slice(first, last + 1) })
    tell('note', 'they are erased in one transaction, at whose end it is checked')
  } else tell('error', 'it can neither be cleared first nor checked last; make it deferrable, or do not delete')
}

function reaches(later: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string, seen = new Set<string>()): boolean {
  if (from === to) return true
  if (seen.has(from)) return false
  seen.add(from)
  return [...(later.get(from) ?? [])].some(next => reaches(later, next, to, seen))
}

function inOrder(all: readonly Entry[], later: ReadonlyMap<string, ReadonlySet<string>>): Entry[] {
  const order: Entry[] = []
  const place = (entry: Entry): void => {
    if (order.includes(entry)) return
    for (const before of all) if (before !== entry && later.get(before.name)?.has(entry.name)) place(before)
    order.push(entry)
  }
  for (const entry of all) place(entry)
  return order
}
