import pg from 'pg'
import type { Identity, Manifest, ResolveResult, Result } from '../../src/adapter-kit/adapter.ts'
import { type Lms, startLms } from '../../src/demo/lms/lms.ts'
import { call, linesOf, type SentTask } from '../adapter-kit/caller.ts'
import { createDatabase } from '../support/database.ts'

export const NAMES = ['accounts', 'billing', 'learning', 'analytics', 'support']

export const userId = (value: string): Identity => ({ type: 'user_id', value })
export const email = (value: string): Identity => ({ type: 'email', value })

/** Everything all five services give of a person. */
interface Everything {
  all: { located: Result; lines: Record<string, unknown>[]; end: { counts: Record<string, number> } }[]
  /** As one text. */
  text: string
}

export interface LmsCalls {
  databaseUrl: string
  lms: Lms
  /** What the adapters told of their own failures. */
  errors: unknown[]
  ask(name: string, action: string, identities: readonly Identity[], more?: object): Promise<Response>
  /** The same task, again where its id is given. */
  result(name: string, action: string, identities: readonly Identity[], more?: object): Promise<Result>
  manifests(): Promise<Manifest[]>
  identitiesOf(id: string): Promise<Identity[]>
  everythingOf(id: string): Promise<Everything>
  /** In the database of the platform itself. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** The learning platform, in a database of its own, asked over HTTP as the service would. */
export async function openLms(): Promise<LmsCalls> {
  const database = await createDatabase()
  const errors: unknown[] = []
  const lms = await startLms({ databaseUrl: database.url, onError: error => errors.push(error) })
  const db = new pg.Pool({ connectionString: database.url, max: 1 })
  let tasks = 0

  const adapter = (name: string) => lms.adapters.find(one => one.name === name) ?? { url: '', secret: '' }
  const ask: LmsCalls['ask'] = (name, action, identities, more = {}) => {
    tasks += 1
    const { url, secret } = adapter(name)
    const task: SentTask = {
      taskId: `task-${tasks}`,
      requestId: 'request-1',
      action,
      attempt: 1,
      subject: { identities },
      ...more,
    }
    return call('POST', `${url}/tasks`, task, { secret })
  }
  const identitiesOf = async (id: string): Promise<Identity[]> => {
    const resolved = (await (await ask('accounts', 'resolve', [userId(id)])).json()) as ResolveResult
    return [...resolved.identities]
  }
  return {
    databaseUrl: database.url,
    lms,
    errors,
    ask,
    identitiesOf,
    async result(...asked) {
      const response = await ask(...asked)
      if (response.status !== 200) throw new Error(`answered with ${response.status}: ${await response.text()}`)
      return (await response.json()) as Result
    },
    manifests: () =>
      Promise.all(
        lms.adapters.map(async ({ url, secret }) => {
          return (await (await call('GET', `${url}/manifest`, undefined, { secret })).json()) as Manifest
        }),
      ),
    async everythingOf(id) {
      const identities = await identitiesOf(id)
      const all = await Promise.all(
        NAMES.map(async name => {
          const located = (await (await ask(name, 'locate', identities)).json()) as Result
          const lines = await linesOf(await ask(name, 'collect', identities))
          return { located, lines, end: lines.at(-1)?.end as { counts: Record<string, number> } }
        }),
      )
      return { all, text: JSON.stringify(all) }
    },
    async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      return (await db.query<Row>(text, values)).rows
    },
    async close() {
      await Promise.all([lms.close(), db.end()])
      await database.drop()
    },
  }
}
