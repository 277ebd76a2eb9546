import { randomUUIDv7 } from 'node:crypto'
import type { Database, Tx } from '../../src/platform/database.ts'
import type { TaskConfig, TaskState } from '../../src/tasks/tasks.store.ts'

export const CONFIG: TaskConfig = {
  baseUrl: 'http://127.0.0.1:1',
  title: 'One',
  identityTypes: ['user_id'],
  hashedTypes: [],
  datasets: [],
  outOfScope: [],
}

/** Rows as the service writes them, for what starts in the middle of a case. */
export const casesIn = (read: Tx) => ({
  async adapter({
    name = randomUUIDv7() as string,
    concurrency = 100,
    perMinute = 100_000,
    state = 'live',
  } = {}): Promise<string> {
    const id = randomUUIDv7()
    await read.query(
      `INSERT INTO adapter (id, name, title, base_url, secrets_sealed, state, manifest, concurrency, per_minute, allowance, allowance_at, created_at, changed_at, live_since)
       VALUES ($1, $2, $2, '', '', $3, '{}', $4, $5::int, $5::int, now(), now(), now(), now())`,
      [id, name, state, concurrency, perMinute],
    )
    return id
  },

  /** Proven at `proof`, where that is given. */
  async request({
    state = 'fulfilling',
    needed = 1,
    assurance = 1,
    proof = assurance as number | null,
    openedBy = 'p',
  } = {}): Promise<string> {
    const id = randomUUIDv7()
    await read.query(
      `INSERT INTO dsar_request (id, "right", state, received_at, created_at, due_on, legal_due_on, locale, time_zone, channel,
         relationship, opened_by_kind, opened_by, assurance_needed, assurance, policy_version)
       VALUES ($1, 'access', $2, now(), now(), '2036-01-01', '2036-01-01', 'en', 'UTC', 'web', 'self', 'portal', $5, $3, $4, '1')`,
      [id, state, needed, assurance, openedBy],
    )
    if (proof !== null)
      await read.query(
        `INSERT INTO proof (id, request_id, method, level, proven_at, by_kind, by_id) VALUES ($1, $2, 'email_code', $3, now(), 'portal', 'p')`,
        [randomUUIDv7(), id, proof],
      )
    return id
  },

  async task(
    requestId: string,
    adapterId: string,
    { action = 'collect', state = 'ready' as TaskState, dueAt = '2036-01-01', config = CONFIG } = {},
  ): Promise<string> {
    const id = randomUUIDv7()
    await read.query(
      `INSERT INTO task (id, key, request_id, adapter_id, adapter, action, state, config, due_at, run_at, created_at, attempt, lease_until)
       VALUES ($1, $1, $2, $3::uuid, $3::uuid::text, $4, $5::text, $6, $7, now(), now(), ($5::text = 'running')::int,
         CASE WHEN $5::text = 'running' THEN now() + interval '15 seconds' END)`,
      [id, requestId, adapterId, action, state, JSON.stringify(config), dueAt],
    )
    return id
  },

  /** As many requests as asked for, each with one task for the adapter. */
  async backlog(adapterId: string, tasks: number): Promise<string[]> {
    return Promise.all(Array.from({ length: tasks }, async () => this.task(await this.request(), adapterId)))
  },

  /** A backlog of thousands; `accepted` tasks are to be polled in an hour. */
  async flood(adapterId: string, tasks: number, state: 'ready' | 'accepted' = 'ready'): Promise<void> {
    await read.query(
      `WITH request AS (
         INSERT INTO dsar_request (id, "right", state, received_at, created_at, due_on, legal_due_on, locale, time_zone, channel,
           relationship, opened_by_kind, opened_by, assurance_needed, assurance, policy_version)
         SELECT gen_random_uuid(), 'access', 'fulfilling', now(), now(), '2036-01-01', '2036-01-01', 'en', 'UTC', 'web', 'self', 'portal', 'p', 1, 1, '1'
         FROM generate_series(1, $2) RETURNING id),
       proven AS (
         INSERT INTO proof (id, request_id, method, level, proven_at, by_kind, by_id)
         SELECT gen_random_uuid(), id, 'email_code', 1, now(), 'portal', 'p' FROM request)
       INSERT INTO task (id, key, request_id, adapter_id, adapter, action, state, config, due_at, run_at, created_at)
       SELECT id, id, id, $1::uuid, $1::uuid::text, 'collect', $3, $4, '2036-01-01',
         CASE WHEN $3 = 'accepted' THEN now() + interval '1 hour' ELSE now() END, now()
       FROM request`,
      [adapterId, tasks, state, JSON.stringify(CONFIG)],
    )
  },
})

/** Resolves once so many sessions of this database wait for locks that others hold. */
export async function somebodyWaits(read: { query(text: string): Promise<unknown[]> }, sessions = 1): Promise<void> {
  while (true) {
    const waiting = await read.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
    )
    if (waiting.length >= sessions) return
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** Which of these tables are read from end to end by `look`. */
export function readWhole<T>(
  { transact }: Pick<Database, 'transact'>,
  tables: readonly string[],
  look: (tx: Tx) => Promise<T>,
): Promise<{ result: T; tables: string[] }> {
  return transact(async tx => {
    const scans = async () =>
      tx.query<{ relname: string; scans: number }[]>(
        'SELECT relname, seq_scan::int AS scans FROM pg_stat_xact_user_tables WHERE relname = ANY($1) ORDER BY relname',
        [tables],
      )
    const before = await scans() // it may still count what the session did before
    const result = await look(tx)
    const after = await scans()
    return { result, tables: after.filter(({ scans }, n) => scans !== before[n]?.scans).map(({ relname }) => relname) }
  })
}

/** A transaction that has done its work and stays open until told to end. */
export async function heldOpen<T>(
  { transact }: Pick<Database, 'transact'>,
  work: (tx: Tx) => Promise<T>,
): Promise<{ result: T; commit(): Promise<void> }> {
  const gate = Promise.withResolvers<void>()
  const worked = Promise.withResolvers<T>()
  const ended = transact(async tx => {
    worked.resolve(await work(tx))
    await gate.promise
  })
  ended.catch(worked.reject)
  return {
    result: await worked.promise,
    commit: () => {
      gate.resolve()
      return ended
    },
  }
}
