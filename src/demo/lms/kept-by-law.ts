import type pg from 'pg'
import type { DatasetDefinition, Outcome } from '../../adapter-kit/adapter.ts'
import type { Known } from './known.ts'
import { countRows, type Db, inTransaction, type Rows } from './rows.ts'

const YEARS = `interval '7 years'`
const STATUTE = 'the tax and company law that binds the seller'

interface Keeping {
  /** The expression for the day from which a row is to be kept. */
  day: string
  /** Columns that nobody has to keep. */
  without?: readonly string[]
}

/**
 * The erasure of rows that the law has kept for seven years (Art. 17(3)(b)): those over it go; the others stay, without what is
 * not needed, for nothing but being kept, and until the last of them is seven years old.
 */
export const keptByLaw = (
  db: pg.Pool,
  rows: Rows,
  { day, without = [] }: Keeping,
): Pick<DatasetDefinition<Known>, 'erase' | 'foresee'> => {
  const { table, key } = rows
  const bare = ['kept_until = $2', ...without.map(column => `${column} = null`)].join(', ')
  return {
    erase: ({ keys }) =>
      inTransaction(db, async tx => {
        const over = await tx.query(`delete from ${table} where ${key} = any ($1) and ${day} + ${YEARS} <= current_date`, [keys])
        const kept = await keptOf(tx, rows, day, keys)
        if (!kept) return over.rowCount ?? 0
        await tx.query(`update ${table} set ${bare} where ${key} = any ($1)`, [keys, kept.until])
        return kept
      }),
    foresee: { erase: async ({ keys }) => (await keptOf(db, rows, day, keys)) ?? countRows(db, rows, keys) },
  }
}

async function keptOf(db: Db, { table, key }: Rows, day: string, keys: readonly string[]) {
  const { rows } = await db.query<{ count: number; until: string }>(
    `select count(*)::int, to_char(max(${day}) + ${YEARS}, 'YYYY-MM-DD') as until
     from ${table} where ${key} = any ($1) and ${day} + ${YEARS} > current_date`,
    [keys],
  )
  const [kept] = rows
  if (!kept || kept.count === 0) return undefined
  return { outcome: 'retained', ...kept, reason: '17_3_b', statute: STATUTE } as const satisfies Outcome
}
