import { Compile } from 'typebox/compile'
import type { Fault } from '../domain/problem.ts'
import { Description, type Erase } from './description.ts'

const schema = Compile(Description)
const MAX_FAULTS = 50

/** Stands in a draft where a person has to say something. */
export const CHOOSE = 'choose'

/** An RFC 6901 pointer. */
export const pointer = (...keys: readonly (string | number)[]): string =>
  keys.map(key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** What of a description is wrong whatever the database is like; or the description. */
export function readDescription(json: unknown): { description: Description } | { faults: Fault[] } {
  if (!schema.Check(json)) return { faults: shapeFaults(json).slice(0, MAX_FAULTS) }
  const faults = contradictions(json)
  return faults.length > 0 ? { faults: faults.slice(0, MAX_FAULTS) } : { description: json }
}

/** An unknown member is named once, at its own place. */
const shapeFaults = (json: unknown): Fault[] =>
  schema
    .Errors(json)
    .filter(({ keyword }) => keyword !== 'additionalProperties')
    .map(({ instancePath, keyword, message, params }) => {
      const allowed = keyword === 'enum' ? `: ${params.allowedValues.join(', ')}` : ''
      return { pointer: instancePath, detail: keyword === 'boolean' ? 'is not part of a description' : `${message}${allowed}` }
    })

function contradictions({ subject, tables, resolve, ignored = [] }: Description): Fault[] {
  const faults: Fault[] = []
  const add = (at: string, detail: string) => faults.push({ pointer: at, detail })
  const known = (name: string) => Object.hasOwn(tables, name)
  if (!known(subject.table)) add('/subject/table', 'is not among the tables')
  for (const [name, { paths = [], erase, columns }] of Object.entries(tables)) {
    const at = (...more: (string | number)[]) => pointer('tables', name, ...more)
    if (name === subject.table && paths.length > 0) add(at('paths'), 'the table of the subject has none')
    if (name !== subject.table && paths.length === 0) add(at(), 'no path leads from it to the subject')
    for (const [i, { via }] of paths.entries()) if (!known(via)) add(at('paths', i, 'via'), 'is not among the tables')
    if (paths.length > 0 && paths.every(({ onErase }) => onErase) && erase.action === 'retain')
      add(at('erase'), 'every path is only detached')
    if (erase.fromTable !== undefined && !paths.some(({ via }) => via === erase.fromTable))
      add(at('erase', 'fromTable'), 'no path goes through it')
    for (const fault of erasureFaults(erase)) add(at('erase', fault.pointer), fault.detail)
    if (Object.keys(columns).some(column => column === '')) add(at('columns'), 'a column has a name')
  }
  for (const [i, { because }] of ignored.entries())
    if (because === CHOOSE) add(pointer('ignored', i, 'because'), 'has to be said')
  for (const name of circular(tables)) add(pointer('tables', name, 'paths'), 'the paths go in a circle')
  for (const [i, { table }] of (resolve?.contactPoints ?? []).entries())
    if (table !== undefined && !known(table)) add(pointer('resolve', 'contactPoints', i, 'table'), 'is not among the tables')
  return faults
}

const NEEDS = { delete: [], detach: [], anonymise: ['columns'], retain: ['reason', 'from', 'for'] } as const
const TAKES = {
  delete: [],
  detach: [],
  anonymise: ['columns'],
  retain: ['reason', 'statute', 'from', 'fromTable', 'for', 'afterwards'],
}

/** What an action needs and does not have, or has and does not need. */
function erasureFaults(erase: Erase | NonNullable<Erase['afterwards']>): Fault[] {
  const { action, columns = {} } = erase
  const given = Object.keys(erase).filter(key => key !== 'action')
  const after = 'afterwards' in erase && erase.afterwards ? erasureFaults(erase.afterwards) : []
  const needs: readonly string[] = 'reason' in erase && erase.reason === '17_3_b' ? [...NEEDS[action], 'statute'] : NEEDS[action]
  const takes: readonly string[] = TAKES[action]
  return [
    ...needs.filter(key => !given.includes(key)).map(key => ({ pointer: key, detail: `'${action}' needs it` })),
    ...given.filter(key => !takes.includes(key)).map(key => ({ pointer: key, detail: `'${action}' has no use for it` })),
    ...Object.entries(columns).flatMap(([column, { to, value, suffix }]) => [
      ...((to === 'constant') === (value !== undefined)
        ? []
        : [{ pointer: column, detail: 'a constant, and nothing else, has a value' }]),
      ...(suffix !== undefined && to !== 'hash' ? [{ pointer: column, detail: 'only a stand-in has a suffix' }] : []),
    ]),
    ...after,
  ]
}

/** Tables from which a path comes back to them. */
function circular(tables: Description['tables']): string[] {
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (tables[from]?.paths ?? []).some(({ via }) => {
      if (via === to) return true
      if (seen.has(via)) return false
      seen.add(via)
      return reaches(via, to, seen)
    })
  return Object.keys(tables).filter(name => reaches(name, name))
}
