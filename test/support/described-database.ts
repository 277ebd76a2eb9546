import { randomBytes, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import pg from 'pg'
import type { Answer } from '../../src/adapters/answer.ts'
import type { CallLimits } from '../../src/adapters/call-limits.ts'
import type { Contact } from '../../src/adapters/fetch-manifest.ts'
import type { Identity, TaskCall } from '../../src/adapters/protocol.ts'
import { createAddressOf } from '../../src/platform/address-of.ts'
import type { Description } from '../../src/sql/description.ts'
import { type SqlDeps, sqlConnector } from '../../src/sql/sql-connector.ts'
import { createDatabase } from './database.ts'

export interface Collected {
  records: Record<string, Record<string, unknown>[]>
  /** As the database wrote them. */
  lines: string[]
  files: { dataset: string; name: string; mediaType: string; bytes: Buffer }[]
}

/** A database that somebody else made, with a role that reads and one that changes. */
export interface DescribedDatabase {
  url: string
  owner: pg.Client
  contact: Contact
  deps: SqlDeps
  /** As its owner. */
  rows(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  ask(action: TaskCall['action'], identities: Identity[] | string, more?: Partial<TaskCall>): Promise<Answer>
  collect(
    identities: Identity[] | string,
    more?: Partial<TaskCall>,
    limits?: CallLimits,
  ): Promise<{ answer: Answer; came: Collected }>
  /** The same, described otherwise. */
  as(description: Description): DescribedDatabase
  close(): Promise<void>
}

const asIdentities = (given: Identity[] | string): Identity[] =>
  typeof given === 'string' ? [{ type: 'user_id', value: given }] : given

export const taskOf = (
  action: TaskCall['action'],
  given: Identity[] | string,
  description: Description,
  more: Partial<TaskCall> = {},
): TaskCall => ({
  taskId: randomUUID(),
  requestId: randomUUID(),
  action,
  attempt: 1,
  dryRun: false,
  subject: { identities: asIdentities(given) },
  scope: { datasets: Object.keys(description.tables) },
  parameters: {},
  dueAt: new Date(Date.now() + 3_600_000).toISOString(),
  ...more,
})

/** Keeps everything that is handed over. */
export function keeping(): { came: Collected; sink: SinkLike } {
  const came: Collected = { records: {}, lines: [], files: [] }
  return {
    came,
    sink: {
      record(dataset, json, value) {
        came.lines.push(json.toString())
        came.records[dataset] = [...(came.records[dataset] ?? []), value]
      },
      async file(dataset, { name, mediaType }, content) {
        const pieces: Buffer[] = []
        for await (const piece of content) pieces.push(piece as Buffer)
        came.files.push({ dataset, name, mediaType, bytes: Buffer.concat(pieces) })
      },
    },
  }
}

interface SinkLike {
  record(dataset: string, json: Buffer, value: Readonly<Record<string, unknown>>): void
  file(dataset: string, meta: { name: string; mediaType: string }, content: Readable): Promise<void>
}

/** @param sql makes the tables; the roles get the rights that are usual: `SELECT` on all, and `SELECT, UPDATE, DELETE` on all */
export async function openDescribed(description: Description, sql: string): Promise<DescribedDatabase> {
  const database = await createDatabase('template0')
  const url = new URL(database.url)
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await owner.query(sql)
  const suffix = randomBytes(4).toString('hex')
  const roles = { reader: `reader_${suffix}`, eraser: `eraser_${suffix}` }
  const password = randomBytes(12).toString('hex')
  const { rows: schemas } = await owner.query<{ name: string }>(
    `SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`,
  )
  const all = schemas.map(({ name }) => name).join(', ')
  for (const [login, rights] of [
    [roles.reader, 'SELECT'],
    [roles.eraser, 'SELECT, UPDATE, DELETE'],
  ])
    await owner.query(
      `CREATE ROLE ${login} LOGIN PASSWORD '${password}'; GRANT USAGE ON SCHEMA ${all} TO ${login}; GRANT ${rights} ON ALL TABLES IN SCHEMA ${all} TO ${login}`,
    )
  const deps: SqlDeps = {
    addressOf: createAddressOf({ allowedHosts: [url.host] }),
    clock: { now: () => new Date() },
    timeZone: 'Asia/Colombo',
  }
  const withDescription = (described: Description): DescribedDatabase => {
    const contact: Contact = {
      baseUrl: `postgresql://${url.host}${url.pathname}?sslmode=disable`,
      secrets: ['whsec_none'],
      credentials: { reader: `${roles.reader}:${password}`, eraser: `${roles.eraser}:${password}` },
      settings: { description: described },
    }
    const connector = sqlConnector(deps)
    return {
      url: database.url,
      owner,
      contact,
      deps,
      rows: async (text, values) => (await owner.query(text, values)).rows,
      ask: (action, identities, more) => connector.ask({ ...contact, task: taskOf(action, identities, described, more) }),
      async collect(identities, more, limits) {
        const { came, sink } = keeping()
        const task = taskOf('collect', identities, described, more)
        const answer = await connector.ask({ ...contact, task, sink, ...(limits && { limits }) })
        return { answer, came }
      },
      as: withDescription,
      async close() {
        for (const role of Object.values(roles)) await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
        await owner.end()
        await database.drop()
      },
    }
  }
  return withDescription(description)
}

/** Every row of these tables as text, to be compared. */
export async function snapshot(owner: pg.Client, tables: readonly string[]): Promise<Record<string, string[]>> {
  const taken: Record<string, string[]> = {}
  for (const table of tables) {
    const { rows } = await owner.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t ORDER BY 1`)
    taken[table] = rows.map(({ row }) => row)
  }
  return taken
}
