import { clearable } from './catalogue.ts'
import { actionOf, cutsOff, dated, leavesMark, STAND_IN } from './condition.ts'
import type { Target } from './description.ts'
import type { Finding } from './finding.ts'
import { type Edge, type Entry, type Model, owned } from './model.ts'
import { pointer } from './read-description.ts'

/** Whether what is to become of rows can be done to them, and whether it does away with them. */
export function lintActions(model: Model): Finding[] {
  const { subject } = model
  const keyless = subject.table.primaryKey.length > 0 ? [] : [error(subject, [], 'the table of the subject has no primary key')]
  return [...keyless, ...[...model.entries.values()].flatMap(entry => ofEntry(model, entry))]
}

const at = ({ name }: Entry, ...more: (string | number)[]) => pointer('tables', name, ...more)
const error = (entry: Entry, place: readonly (string | number)[], detail: string): Finding => ({
  kind: 'error',
  pointer: at(entry, ...place),
  detail,
})

function ofEntry(model: Model, entry: Entry): Finding[] {
  const { erase } = entry.described
  const { action, columns = {} } = actionOf(erase)
  const place = erase.action === 'retain' && erase.afterwards ? ['erase', 'afterwards', 'columns'] : ['erase', 'columns']
  const cleared = entry.edges.filter(edge => edge.detached || action === 'detach')
  const undated = erase.action === 'retain' && dated(model.entries, entry).table.columns.get(erase.from ?? '')?.nullable
  return [
    ...cleared.flatMap(edge => unclearable(entry, edge)),
    ...Object.entries(columns).flatMap(([name, target]) => ofTarget(entry, name, target, [...place, name])),
    ...(action === 'detach' && entry.isSubject ? [error(entry, ['erase'], 'the subject cannot be detached from itself')] : []),
    ...(action === 'anonymise' && !cutsOff(entry, columns) && !leavesMark(columns)
      ? [
          error(
            entry,
            place,
            'rows would still lead to the person and not show that they were anonymised: change the columns of each path, or give one a stand-in or a word',
          ),
        ]
      : []),
    ...(undated
      ? [
          {
            kind: 'warning' as const,
            pointer: at(entry, 'erase', 'from'),
            detail: 'may be empty: such rows count as of the day of the erasure',
          },
        ]
      : []),
    ...(erase.action === 'retain' ? [...lostWay(model, entry), ...unrestricted(model, entry)] : []),
  ]
}

/** What is kept for the law alone is restricted (Art. 18), and without a flag somebody has to see to that. */
const unrestricted = ({ description }: Model, entry: Entry): Finding[] =>
  entry.described.restriction || description.subject.restriction
    ? []
    : [
        {
          kind: 'warning',
          pointer: at(entry, 'erase'),
          detail: 'what is kept cannot be restricted from here: name a column in `restriction`',
        },
      ]

const unclearable = (entry: Entry, { columns, at: i }: Edge): Finding[] =>
  clearable(entry.table, columns).length > 0
    ? []
    : [error(entry, ['paths', i], `'${columns.join(', ')}' is NOT NULL: rows cannot be detached`)]

function ofTarget(entry: Entry, name: string, { to, suffix = '' }: Target, place: readonly string[]): Finding[] {
  const column = entry.table.columns.get(name)
  if (!column) return []
  if (column.generated) return [error(entry, place, 'is generated')]
  if (entry.table.primaryKey.includes(name)) return [error(entry, place, 'is part of the primary key')]
  if (to === 'nothing' && !column.nullable) return [error(entry, place, 'is NOT NULL')]
  if (to !== 'hash') return []
  if (column.category !== 'S') return [error(entry, place, 'is no text column: a stand-in does not fit')]
  const length = STAND_IN.before.length + STAND_IN.digits + suffix.length
  return column.maxLength !== null && column.maxLength < length
    ? [error(entry, place, `holds ${column.maxLength} characters, and a stand-in has ${length}`)]
    : []
}

const DAYS: Readonly<Record<string, number>> = { D: 1, W: 7, M: 365.25 / 12, Y: 365.25 }
const daysOf = (period = ''): number => Number(period.slice(1, -1)) * (DAYS[period.slice(-1)] ?? 0)

/** What is kept has to be found again when its day has come: the way to it is kept, too, and at least as long. */
const lostWay = (model: Model, entry: Entry): Finding[] =>
  owned(entry).flatMap(edge => lostBeyond(model, entry, edge, []).map(detail => error(entry, ['paths', edge.at], detail)))

/** Why rows of a kept table may not be found again over this pointer, or over those by which the rows it leads to are found in turn. */
function lostBeyond(model: Model, kept: Entry, { via, viaColumns }: Edge, passed: readonly string[]): string[] {
  const { entries, description } = model
  const next = entries.get(via)
  if (!next || passed.includes(via)) return []
  const given = Object.values(description.subject.identities).map(({ column }) => column)
  const { from, fromTable, for: period } = kept.described.erase
  const { erase } = next.described
  const { columns = {} } = actionOf(erase)
  if (next.isSubject && viaColumns.length === 1 && given.includes(viaColumns[0] ?? '')) return []
  if (erase.action === 'anonymise' && !cutsOff(next, columns)) {
    if (!next.isSubject) return owned(next).flatMap(edge => lostBeyond(model, kept, edge, [...passed, via]))
    if (given.some(name => columns[name] === undefined)) return []
  }
  if (erase.action !== 'retain') return [`its rows are kept, but the way to them through ${via} is erased`]
  const goesAlong = fromTable === via && from === erase.from && daysOf(period) <= daysOf(erase.for)
  return goesAlong
    ? []
    : [`rows may be kept longer than those of ${via}: keep them by the same date, 'fromTable: ${via}', and no longer`]
}
