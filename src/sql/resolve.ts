import type { Answer } from '../adapters/answer.ts'
import { untouched } from './condition.ts'
import type { Found } from './find-subject.ts'
import type { Entry, Model } from './model.ts'
import { reachFor } from './reach.ts'
import type { Row, Session } from './session.ts'
import { bindings, column, qualified } from './sql-text.ts'

const CONTACT_POINTS = 50

/** Who somebody is here: further identities, and the addresses on file with the instant from which each has been theirs. */
export async function resolve(session: Session, model: Model, found: Found): Promise<Answer | undefined> {
  const { subject, entries, description } = model
  const { contactPoints, name, locale, country } = description.resolve ?? { contactPoints: [] }
  if (!found.isThere) return undefined
  const identities = Object.entries(description.subject.identities).flatMap(([type, { column: held }]) =>
    [...new Set(found.rows.map(row => row[held]))].flatMap(value => (value ? [{ type, value }] : [])),
  )
  const points = []
  for (const { table, type, column: address, since, verified } of contactPoints) {
    const entry = table === undefined ? subject : entries.get(table)
    if (!entry) continue
    const isVerified = verified === true ? 'true' : `coalesce(${column('t', verified)}, false)`
    const rows = await ownRows(session, model, found, entry, [
      column('t', address),
      instantOf(entry, since),
      `(${isVerified})::text`,
    ])
    for (const [value, from, confirmed] of rows)
      if (value && from) points.push({ type, value, since: from, verified: confirmed === 'true' })
  }
  const [row] = await ownRows(
    session,
    model,
    found,
    subject,
    [name, locale, country].map(held => (held === undefined ? 'NULL' : `${column('t', held)}::text`)),
  )
  const [called, speaks, from] = row ?? []
  return {
    kind: 'resolved',
    matched: found.matched,
    identities,
    contactPoints: points.slice(0, CONTACT_POINTS),
    ...(called && { name: called.slice(0, 500) }),
    ...(speaks && { locale: speaks.slice(0, 35) }),
    ...(from && /^[A-Za-z]{2}$/.test(from) && { country: from.toUpperCase() }),
    status: 'match',
  }
}

async function ownRows(session: Session, model: Model, found: Found, entry: Entry, shown: readonly string[]): Promise<Row[]> {
  const bound = bindings()
  return session.query(
    `SELECT ${shown.join(', ')} FROM ${qualified(entry.table)} t
     WHERE ${reachFor(model, found, bound).own(entry, 't')} AND ${untouched(entry, 't', bound)} LIMIT ${CONTACT_POINTS}`,
    bound.values,
  )
}

/** RFC 3339; whole numbers are seconds since 1970, and what has no zone is in UTC. */
function instantOf({ table }: Entry, name: string): string {
  const { category, base } = table.columns.get(name) ?? {}
  const held = column('t', name)
  const instant =
    category === 'N' ? `to_timestamp(${held})` : base === 'timestamptz' ? held : `(${held}::timestamp AT TIME ZONE 'UTC')`
  return `to_char(${instant} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
}
