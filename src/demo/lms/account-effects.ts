import type pg from 'pg'
import type { Call, Correction, DatasetDefinition } from '../../adapter-kit/adapter.ts'
import type { Known } from './known.ts'
import { Refusal } from './rectify-rows.ts'
import { type Db, eraseRows, inTransaction, limit } from './rows.ts'

const CONSENTS = { table: 'lms_accounts.consents', key: 'user_id' } as const

/**
 * Erases an account at once: who is half erased could no longer be found by the address asked about.
 * @returns how many rows went, by dataset
 */
export const eraseAccount = (db: pg.Pool, keys: readonly string[], { task, signal }: Call): Promise<Record<string, number>> =>
  inTransaction(db, async tx => {
    const erased: Record<string, number> = {}
    for (const dataset of task.scope.datasets) {
      const table = `lms_accounts.${dataset === 'account' ? 'users' : dataset}`
      erased[dataset] = await eraseRows(tx, { table, key: 'user_id' }, keys, signal)
    }
    if (task.scope.datasets.includes('account'))
      await tx.query('delete from lms_accounts.credentials where user_id = any ($1)', [keys])
    return erased
  })

/** A corrected address is one of the person's from now on, and nobody has confirmed it; the former stays known as theirs. */
export async function rectifyEmail(tx: Db, { keys: [userId] }: Known, { field, to }: Correction): Promise<void> {
  if (field !== 'email') return
  await tx.query('update lms_accounts.emails set is_primary = false where user_id = $1', [userId])
  const { rowCount } = await tx.query(
    `insert into lms_accounts.emails (user_id, address, is_primary, verified, since) values ($1, lower($2), true, false, now())
     on conflict (address) do update set is_primary = true where emails.user_id = excluded.user_id`,
    [userId, to],
  )
  if (rowCount === 0) throw new Refusal('not_possible') // it is somebody else's
}

/** Marketing and cookies end here: what the person once agreed to is noted as withdrawn, and the mailing list leaves them out. */
export const withdrawal = (db: pg.Pool): Pick<DatasetDefinition<Known>, 'object' | 'withdraw_consent' | 'foresee'> => ({
  object: ({ keys }, { task: { parameters } }) =>
    inTransaction(db, async tx => {
      const marketing = parameters.purposes.includes('marketing')
      if (marketing) await limit(tx, CONSENTS, keys, ['objection:marketing'], parameters.ground)
      return withdraw(tx, keys, parameters.purposes)
    }),
  withdraw_consent: ({ keys }, { task }) => withdraw(db, keys, agreedTo(task.parameters)),
  foresee: {
    object: ({ keys }, { task }) => countAgreed(db, keys, task.parameters.purposes),
    withdraw_consent: ({ keys }, { task }) => countAgreed(db, keys, agreedTo(task.parameters)),
  },
})

const agreedTo = ({ purposes, cookies }: { purposes: readonly string[]; cookies: readonly string[] }): string[] => [
  ...purposes,
  ...cookies.map(category => `${category}_cookies`),
]

/** Done before or never agreed to, the consent is not there afterwards: it counts. */
async function withdraw(db: Db, keys: readonly string[], what: readonly string[]): Promise<number> {
  const { rowCount } = await db.query(
    `update lms_accounts.consents set granted = false, withdrawn_at = coalesce(withdrawn_at, case when granted then now() end)
     where user_id = any ($1) and purpose = any ($2)`,
    [keys, what],
  )
  return rowCount ?? 0
}

async function countAgreed(db: Db, keys: readonly string[], what: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::int from lms_accounts.consents where user_id = any ($1) and purpose = any ($2)',
    [keys, what],
  )
  return rows[0]?.count ?? 0
}
