import type pg from 'pg'
import type { Effects } from '../../adapter-kit/adapter.ts'
import type { Known } from './known.ts'

/** Where the rows of people are. */
export interface Rows {
  /** With its schema. */
  table: string
  /** The column that says whose a row is. */
  key: string
}

export type Db = pg.Pool | pg.PoolClient

/** What one statement may take at most, so that nobody else waits long for their own rows. */
const BATCH = 5_000

/** What can be done to the rows of any table. */
export const effectsOn = (db: pg.Pool, rows: Rows) =>
  ({
    erase: ({ keys }, { signal }) => eraseRows(db, rows, keys, signal),
    restrict: ({ keys }, { task }) => limit(db, rows, keys, [RESTRICTED], task.parameters.ground),
    async lift_restriction({ keys }) {
      const { schema, dataset } = placeOf(rows)
      await db.query(`delete from ${schema}.limits where dataset = $1 and person = any ($2) and what = $3`, [
        dataset,
        keys,
        RESTRICTED,
      ])
      return countRows(db, rows, keys)
    },
  }) satisfies Effects<Known>

const RESTRICTED = 'restricted'

export async function countRows(db: Db, { table, key }: Rows, keys: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ count: number }>(`select count(*)::int from ${table} where ${key} = any ($1)`, [keys])
  return rows[0]?.count ?? 0
}

/** Erases a person's rows, batch after batch, and what was noted about their use. What an interrupted erasure left is found again. @returns how many */
export async function eraseRows(db: Db, rows: Rows, keys: readonly string[], signal: AbortSignal): Promise<number> {
  const { table, key } = rows
  const some = `select ${key}, id from ${table} where ${key} = any ($1) limit ${BATCH}`
  let erased = 0
  for (let last = BATCH; last === BATCH; erased += last) {
    signal.throwIfAborted()
    const { rowCount } = await db.query(`delete from ${table} where (${key}, id) in (${some})`, [keys])
    last = rowCount ?? 0
  }
  const { schema, dataset } = placeOf(rows)
  await db.query(`delete from ${schema}.limits where dataset = $1 and person = any ($2)`, [dataset, keys])
  return erased
}

/**
 * Notes what a person's rows may no longer be used for: `restricted`, `objection:analytics`, `consent:marketing`. What the service
 * reads for itself (its views) leaves them out. @returns how many rows that are
 */
export async function limit(
  db: Db,
  rows: Rows,
  keys: readonly string[],
  what: readonly string[],
  ground?: string,
): Promise<number> {
  if (what.length === 0) return 0
  const { schema, dataset } = placeOf(rows)
  await db.query(
    `insert into ${schema}.limits (dataset, person, what, ground)
     select $1, person, what, $4 from unnest($2::text[]) person cross join unnest($3::text[]) what on conflict do nothing`,
    [dataset, keys, what, ground ?? null],
  )
  return countRows(db, rows, keys)
}

function placeOf({ table }: Rows): { schema: string; dataset: string } {
  const [schema = '', dataset = ''] = table.split('.')
  return { schema, dataset }
}

/** All of it or nothing. */
export async function inTransaction<T>(db: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const tx = await db.connect()
  try {
    await tx.query('begin')
    const result = await work(tx)
    await tx.query('commit')
    tx.release()
    return result
  } catch (error) {
    tx.release(true) // closing the connection rolls back
    throw error
  }
}
