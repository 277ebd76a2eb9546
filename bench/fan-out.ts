import { randomUUID } from 'node:crypto'
import { PgBoss } from 'pg-boss'
import { apiClient } from '../src/demo/client.ts'
import { countIn } from './direct.ts'
import { atLeast, type Figure, plain, say } from './figures.ts'
import { type Ground, openGround, openVouched, pause, registerAdapters, type Service } from './ground.ts'
import { watchProcessor } from './processor.ts'

// How many tasks a second are claimed, asked of adapters that answer in 20 ms, and written down with what came. What is asked is what
// an erasure holds while it cools off, so that nothing else happens meanwhile. The reference takes as many jobs from pg-boss, with as
// many hands, and asks the same adapters the same.

const TASKS = 3000
/** As many as the service has slots when nothing is configured. */
const HANDS = 32
const FINISHED = 1_000_000
const FINISHED_AT_ONCE = 50_000
const OPENED_AT_ONCE = 16
const PATIENCE_MS = 120_000

export async function run(): Promise<Figure[]> {
  const few = await fanOut(5, { withReference: true, withHistory: true })
  const many = await fanOut(50)
  return [
    atLeast('tasks through 5 adapters that answer in 20 ms', few.rate, 300, '/s'),
    plain('  bare pg-boss and the same calls', few.reference, '/s'),
    atLeast('  ratio', few.rate / few.reference, 0.4),
    ...few.processor,
    atLeast('  with a million finished tasks, of that', few.afterHistory / few.rate, 0.8),
    atLeast('tasks through 50 adapters', many.rate, 300, '/s'),
    plain('  of that through 5', many.rate / few.rate),
  ]
}

interface FanOut {
  rate: number
  reference: number
  afterHistory: number
  processor: Figure[]
}

async function fanOut(adapters: number, { withReference = false, withHistory = false } = {}): Promise<FanOut> {
  const ground = await openGround({ quickAdapters: adapters })
  try {
    const service = await ground.startService('all')
    await registerAdapters(ground, service)
    await askAll(ground, service, TASKS / 10) // so that everything is warm
    const spent = await watchProcessor(ground, service)
    const rate = await askAll(ground, service, TASKS)
    const processor = (await spent(TASKS)).filter(({ what }) => /: (service|database)$/.test(what))
    say(`  ${adapters} adapters: ${rate.toFixed(0)} tasks/s`)
    const reference = withReference ? await bareJobs(ground) : Number.NaN
    if (withReference) say(`  bare pg-boss: ${reference.toFixed(0)}/s`)
    if (!withHistory) return { rate, reference, processor, afterHistory: Number.NaN }
    await finishMany(ground)
    const afterHistory = await askAll(ground, service, TASKS)
    say(`  after ${FINISHED} tasks: ${afterHistory.toFixed(0)} tasks/s`)
    return { rate, reference, processor, afterHistory }
  } finally {
    await ground.close()
  }
}

/** Lets so many tasks gather while the adapters are not to be asked, then has them asked. @returns tasks a second */
async function askAll(ground: Ground, service: Service, tasks: number): Promise<number> {
  const operator = apiClient(service.url, ground.issuer.mint('support_agent', { sub: 'operator-1', roles: ['operator'] }))
  await operator('POST', '/v1/adapters/suspension')
  const people = Array.from({ length: tasks / ground.adapters.length }, () => randomUUID())
  while (people.length > 0)
    await Promise.all(
      people
        .splice(0, OPENED_AT_ONCE)
        .map(userId => openVouched(ground, service, { userId, email: `${userId}@campus.example` }, 'erasure')),
    )
  await until(async () => (await openTasks(ground)) === tasks && (await isQuiet(ground)))
  const started = performance.now()
  await operator('DELETE', '/v1/adapters/suspension')
  await until(async () => (await openTasks(ground)) === 0)
  const seconds = (performance.now() - started) / 1000
  const [left] = await ground.sql<{ undone: number }>(`SELECT count(*)::int AS undone FROM task WHERE state <> 'done'`)
  if (left?.undone !== 0) throw new Error(`${left?.undone} tasks did not come to their end.`)
  return tasks / seconds
}

/** How many are not done, of which some have failed and would keep the figure from being one. */
async function openTasks({ sql }: Ground): Promise<number> {
  const [row] = await sql<{ tasks: number; failed: number }>(
    `SELECT count(*)::int AS tasks, count(*) FILTER (WHERE failures > 0)::int AS failed FROM task WHERE state IN ('ready', 'accepted', 'running')`,
  )
  if (row?.failed) throw new Error(`${row.failed} calls failed.`)
  return row?.tasks ?? 0
}

/** Whether no job is left of what was opened. */
async function isQuiet({ sql }: Ground): Promise<boolean> {
  const [row] = await sql<{ jobs: number }>(
    `SELECT count(*)::int AS jobs FROM pgboss.job WHERE state < 'completed' AND start_after <= now()`,
  )
  return row?.jobs === 0
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('It was not done in time.')
    await pause(50)
  }
}

/** The same calls, by hands that each take a job, ask, and say that it is done. @returns jobs a second */
async function bareJobs({ adapters, databaseUrl }: Ground): Promise<number> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: 20, schema: 'bare', supervise: false, schedule: false })
  boss.on('error', () => {})
  await boss.start()
  try {
    await boss.createQueue('ask')
    await boss.insert(
      'ask',
      Array.from({ length: TASKS }, (_, n) => ({ data: { adapter: n % adapters.length, userId: randomUUID() } })),
    )
    const started = performance.now()
    await Promise.all(Array.from({ length: HANDS }, () => takeJobs(boss, adapters)))
    return TASKS / ((performance.now() - started) / 1000)
  } finally {
    await boss.stop({ graceful: false })
  }
}

async function takeJobs(boss: PgBoss, adapters: Ground['adapters']): Promise<void> {
  for (;;) {
    const [job] = await boss.fetch<{ adapter: number; userId: string }>('ask')
    const adapter = adapters[job?.data.adapter ?? -1]
    if (!job || !adapter) return
    await countIn(adapter, { userId: job.data.userId, email: '' })
    await boss.complete('ask', job.id)
  }
}

/** A past: requests that ended long ago, with a million tasks, each as it was left. */
async function finishMany({ sql }: Ground): Promise<void> {
  const columns = await sql<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'dsar_request' AND column_name NOT IN ('id', 'state', 'created_at')`,
  )
  const same = columns.map(({ name }) => `"${name}"`).join(', ')
  const perRequest = 10
  for (let done = 0; done < FINISHED; done += FINISHED_AT_ONCE)
    await sql(
      `WITH one AS (SELECT * FROM dsar_request LIMIT 1),
       past AS (INSERT INTO dsar_request (id, state, created_at, ${same})
         SELECT gen_random_uuid(), 'completed', now() - interval '90 days', ${same} FROM one, generate_series(1, $1) RETURNING id)
       INSERT INTO task (id, request_id, adapter_id, adapter, action, state, config, due_at, run_at, created_at, finished_at, attempt, answer)
       SELECT gen_random_uuid(), past.id, a.id, a.name, action, 'done', like_it.config, now(), now(), now() - interval '90 days', now() - interval '90 days', 1, like_it.answer
       FROM past, adapter a, unnest(ARRAY['locate', 'collect']) action, LATERAL (SELECT config, answer FROM task WHERE adapter_id = a.id AND state = 'done' LIMIT 1) like_it`,
      [FINISHED_AT_ONCE / perRequest],
    )
  await sql('VACUUM ANALYZE task, dsar_request')
}
