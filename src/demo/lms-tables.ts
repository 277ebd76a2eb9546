import pg from 'pg'
import type { Person } from './lms/seed-person.ts'
import type { Stage } from './stage.ts'

const SERVICES = ['accounts', 'billing', 'learning', 'analytics', 'support']

/** Runs SQL in the databases of the learning platform, where the service itself never looks. */
export async function askLms<R extends pg.QueryResultRow>(url: string, sql: string, values: unknown[] = []): Promise<R[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<R>(sql, values)).rows
  } finally {
    await client.end()
  }
}

const TABLES = `select c.table_schema as schema, c.table_name as name, c.column_name as key
  from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
  where table_schema like 'lms\\_%' and table_type = 'BASE TABLE' and column_name in ('user_id', 'requester_email')`

/** How many rows each service holds of a person, in the order of `SERVICES`. */
async function rowsOf(url: string, { userId, email }: Person): Promise<number[]> {
  const tables = await askLms<{ schema: string; name: string; key: string }>(url, TABLES)
  const counts = tables.map(
    ({ schema, name, key }) => `select '${schema}' as schema, count(*) from ${schema}.${name} where ${key} in ($1, $2)`,
  )
  const sql = `select schema, sum(count)::int as count from (${counts.join(' union all ')}) c group by schema`
  const found = new Map(
    (await askLms<{ schema: string; count: number }>(url, sql, [userId, email])).map(r => [r.schema, r.count]),
  )
  return SERVICES.map(service => found.get(`lms_${service}`) ?? 0)
}

/** Shows how many rows of the person there are in each service, under a word for the moment. */
export async function showRows({ house, person, show }: Stage, moment: string): Promise<void> {
  const counts = await rowsOf(house.lmsUrl, person)
  showTable(show, `rows ${moment}`, Object.fromEntries(SERVICES.map((service, i) => [service, counts[i] ?? 0])))
}

/** What the platform reads when it uses data, instead of keeping them. */
const USES = {
  profile: 'lms_accounts.shown_profiles where user_id',
  mailings: 'lms_accounts.mailing_list where user_id',
  invoices: 'lms_billing.usable_invoices where user_id',
  posts: 'lms_learning.shown_posts where user_id',
  statistics: 'lms_analytics.counted_events where user_id',
}

/** Shows how many rows of the person are in use, under a word for the moment. */
export async function showUses({ house, person, show }: Stage, moment: string): Promise<void> {
  const counts = Object.entries(USES).map(([use, from]) => `(select count(*)::int from ${from} = $1) as ${use}`)
  const [uses = {}] = await askLms<Record<string, number>>(house.lmsUrl, `select ${counts.join(', ')}`, [person.userId])
  showTable(show, `in use ${moment}`, uses)
}

/** A line of names over a line of values. */
export function showTable(show: Stage['show'], label: string, values: Readonly<Record<string, string | number>>): void {
  const cells = Object.entries(values).map(([name, value]) => {
    const width = Math.max(name.length, String(value).length) + 3
    return [name.padStart(width), String(value).padStart(width)]
  })
  show([
    `${' '.repeat(label.length)}${cells.map(([name]) => name).join('')}`,
    `${label}${cells.map(([, value]) => value).join('')}`,
  ])
}
