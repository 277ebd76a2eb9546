import pg from 'pg'
import type { Identity, TaskCall } from '../adapters/protocol.ts'
import { untouched } from './condition.ts'
import { handlesOf, type Model } from './model.ts'
import type { Known } from './reach.ts'
import { type Session, textOf } from './session.ts'
import { bindings, column, qualified } from './sql-text.ts'

/** Who is meant. `matched` are the identities by which somebody was found, or could be found in other tables. */
export interface Found extends Known {
  matched: Identity[]
  /** Whether there is a row of theirs that was not anonymised. */
  isThere: boolean
  /** Whether they were named by the key of the subject: that is theirs for good, and still means them when their row is gone. */
  byKey: boolean
}

/** Whom the identities mean: somebody, nobody, or more people than one. */
export type Finding = { kind: 'found'; found: Found } | { kind: 'nobody' } | { kind: 'several' }

interface Asked {
  identity: Identity
  column: string
  ignoreCase: boolean
}

/**
 * Looks for the person in the table of the subject, by each identity as it was given and no other way: quotes and per-cent signs are
 * what they are, and `007` is not `7`. Identities that lead to different rows may be those of different people.
 */
export async function findSubject(session: Session, model: Model, { subject: { identities } }: TaskCall): Promise<Finding> {
  const { subject, description } = model
  const handles = handlesOf(model)
  const columns = [...new Set([...handles, ...Object.values(description.subject.identities).map(one => one.column)])]
  const several = description.subject.severalAccounts ?? false
  const rows = new Map<string, Record<string, string | null>>()
  const values = new Map<string, Set<string>>(columns.map(name => [name, new Set()]))
  let isThere = false
  const by = { row: [] as Asked[], value: [] as Asked[] }
  for (const one of asked(model, identities)) {
    if (!(await fits(session, model, one.column, one.identity.value))) continue
    values.get(one.column)?.add(one.identity.value)
    const found = await rowsBy(session, model, one, columns)
    if (found.length > 1 && !several) return { kind: 'several' }
    by[found.length > 0 ? 'row' : 'value'].push(one)
    for (const { row, live } of found) {
      rows.set(JSON.stringify(subject.table.primaryKey.map(key => row[key])), row)
      isThere ||= live
    }
  }
  const isKey = (name: string) => subject.table.primaryKey.length === 1 && subject.table.primaryKey[0] === name
  if (!several && rows.size > 1) return { kind: 'several' }
  // The number of a row that is not there, beside somebody who is: not taken for another of theirs unless people have several.
  const strange = several || rows.size === 0 ? [] : by.value.filter(one => isKey(one.column))
  for (const { column: name, identity } of strange) values.get(name)?.delete(identity.value)
  for (const row of rows.values())
    for (const [name, value] of Object.entries(row)) if (value !== null) values.get(name)?.add(value)
  const leads = by.value.filter(one => handles.includes(one.column))
  const matched = (by.row.length > 0 ? by.row : leads).map(({ identity }) => identity)
  if (matched.length === 0) return { kind: 'nobody' }
  const known = new Map([...values].map(([name, of]) => [name, [...of]]))
  const byKey = [...by.row, ...by.value].some(one => isKey(one.column))
  return { kind: 'found', found: { rows: [...rows.values()], values: known, matched, isThere, byKey } }
}

const asked = ({ description }: Model, identities: readonly Identity[]): Asked[] =>
  identities.flatMap(identity => {
    const by = description.subject.identities[identity.type]
    const isPlain = (identity.format ?? 'raw') === 'raw' && !identity.value.includes('\u0000')
    return by && isPlain ? [{ identity, column: by.column, ignoreCase: by.ignoreCase ?? false }] : []
  })

/** Whether a value is one of the column's type, spelled as the database would spell it. */
async function fits(session: Session, { subject }: Model, name: string, value: string): Promise<boolean> {
  const { type = 'text', category, base } = subject.table.columns.get(name) ?? {}
  if (category === 'S') return true
  await session.query('SAVEPOINT fits')
  try {
    const [row] = await session.query(`SELECT ($1::text::${type})::text`, [value])
    const spelled = textOf(row?.[0])
    return spelled === value || (base === 'uuid' && spelled === value.toLowerCase())
  } catch (error) {
    // Class 22: no such number, no such date, too long. The person is not known by that.
    if (error instanceof pg.DatabaseError && error.code?.startsWith('22')) return false
    throw error
  } finally {
    await session.query('ROLLBACK TO SAVEPOINT fits')
  }
}

async function rowsBy(session: Session, { subject }: Model, by: Asked, columns: readonly string[]) {
  const { type = 'text', category, base } = subject.table.columns.get(by.column) ?? {}
  const held = column('t', by.column)
  const asText = category === 'S' && (base === 'text' || base === 'varchar' || base === 'bpchar')
  const bound = bindings()
  const value = bound.bind(by.identity.value)
  const is = by.ignoreCase ? `lower(${held}::text) = lower(${value}::text)` : `${held} = ${value}::${asText ? 'text' : type}`
  const rows = await session.query(
    `SELECT (${untouched(subject, 't', bound)})::text, ${columns.map(name => `${column('t', name)}::text`).join(', ')}
     FROM ${qualified(subject.table)} t WHERE ${is} LIMIT 100`,
    bound.values,
  )
  return rows.map(([live, ...row]) => ({
    row: Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null])),
    live: live === 'true',
  }))
}
