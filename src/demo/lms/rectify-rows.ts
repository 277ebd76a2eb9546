import pg from 'pg'
import type { Call, Correction, DatasetDefinition, Outcome } from '../../adapter-kit/adapter.ts'
import type { Known } from './known.ts'
import { type Db, inTransaction, type Rows } from './rows.ts'

/** Whatever else a correction brings with it, e.g. in another table. */
type Also = (tx: Db, person: Known, correction: Correction) => Promise<void>

/** Why corrections were not made, none of them. */
export class Refusal extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

/**
 * Corrections of columns that hold text: rows that are as the correction says they are become as it says they should be. One that
 * was made before counts as made; when one cannot be made none is, and a person has to look.
 */
export const rectifiable = (
  db: pg.Pool,
  rows: Rows,
  columns: readonly string[],
  also?: Also,
): Pick<DatasetDefinition<Known>, 'rectify' | 'foresee'> => ({
  rectify: (person, { task }) =>
    orRefused(() =>
      inTransaction(db, async tx => {
        let corrected = 0
        for (const correction of task.parameters.corrections) {
          corrected += await correct(tx, rows, columns, person, correction)
          await also?.(tx, person, correction)
        }
        return corrected
      }),
    ),
  foresee: { rectify: (person, call) => orRefused(() => countCorrectable(db, rows, columns, person, call)) },
})

async function correct(
  tx: Db,
  { table, key }: Rows,
  columns: readonly string[],
  { keys }: Known,
  { field, from, to }: Correction,
): Promise<number> {
  requireColumn(columns, field)
  const { rowCount } = await tx.query(
    `update ${table} set ${field} = $2 where ${key} = any ($1) and (${field} is not distinct from $3 or ${field} is not distinct from $2)`,
    [keys, textOf(to), textOf(from)],
  )
  return rowCount || notAsStated()
}

async function countCorrectable(
  db: Db,
  { table, key }: Rows,
  columns: readonly string[],
  { keys }: Known,
  { task }: Call<'rectify'>,
): Promise<number> {
  let correctable = 0
  for (const { field, from, to } of task.parameters.corrections) {
    requireColumn(columns, field)
    const { rows } = await db.query<{ count: number }>(
      `select count(*)::int from ${table} where ${key} = any ($1) and (${field} is not distinct from $2 or ${field} is not distinct from $3)`,
      [keys, textOf(from), textOf(to)],
    )
    correctable += rows[0]?.count || notAsStated()
  }
  return correctable
}

const textOf = (value: Correction['from']): string | null => (value === null ? null : String(value))

function requireColumn(columns: readonly string[], field: string): void {
  if (!columns.includes(field)) throw new Refusal('not_correctable')
}

function notAsStated(): never {
  throw new Refusal('not_as_stated')
}

async function orRefused(work: () => Promise<number>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) return { outcome: 'refused', reason: error.reason }
    const impossible = error instanceof pg.DatabaseError && error.code?.startsWith('23') // taken by somebody else, or needed
    if (impossible) return { outcome: 'refused', reason: 'not_possible' }
    throw error
  }
}
