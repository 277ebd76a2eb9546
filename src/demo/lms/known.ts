import type pg from 'pg'
import { type Found, type Identity, TaskProblem } from '../../adapter-kit/adapter.ts'

/** A person, by the values that stand for them in this service's tables. */
export interface Known extends Found {
  keys: readonly string[]
}

/** Which of these values any of the tables has rows of. */
export async function valuesHeld(
  db: pg.Pool,
  tables: readonly string[],
  key: string,
  values: readonly string[],
): Promise<string[]> {
  const held = tables.map(table => `exists (select from ${table} where ${key} = value)`).join(' or ')
  const { rows } = await db.query<{ value: string }>(`select value from unnest($1::text[]) value where ${held}`, [values])
  return rows.map(({ value }) => value)
}

/** `find` for a service that knows people by their user id alone. */
export const findByUserId =
  (db: pg.Pool, tables: readonly string[]) =>
  async (identities: readonly Identity[]): Promise<Known | undefined> => {
    const asked = identities.filter(({ type }) => type === 'user_id')
    const keys = await valuesHeld(db, tables, 'user_id', [...new Set(asked.map(({ value }) => value))])
    if (keys.length > 1) throw new TaskProblem(422, 'ambiguous_subject', 'The identities belong to different people.')
    return keys.length === 0 ? undefined : { matched: asked.filter(({ value }) => keys.includes(value)), keys }
  }
