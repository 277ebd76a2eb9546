import { randomUUID } from 'node:crypto'
import { PgBoss } from 'pg-boss'
import { apiClient } from '../src/demo/client.ts'
import { countIn } from './direct.ts'
import { atLeast, type Figure, plain, say } from './figures.ts'
import { type Ground, openGround, openVouched, pause, registerAdapters, type Service } from './ground.ts'
import { watchProcessor } from './processor.ts'

// How many tasks a second are claimed, asked of adapters that answer in 20 ms, and written down with what came: counts alone, as while
// an erasure cools off, and counts with the copies after them. One adapter more is suspended, so that no request comes to its end
// meanwhile. The reference takes as many jobs from pg-boss, with as many hands, and has the same adapters count.

const TASKS = 3000
/** As many as the service has slots when nothing is configured. */
const HANDS = 32
const FINISHED = 1_000_000
const FINISHED_AT_ONCE = 50_000
const OPENED_AT_ONCE = 16
const PATIENCE_MS = 120_000

export async function run(): Promise<Figure[]> {
  const few = await inHouse(5, async house => {
    const counted = await askAll(house, 'erasure')
    const copied = await askAll(house, 'access')
    const bare = await bareJobs(house)
    say(`  bare pg-boss: ${bare.toFixed(0)}/s`)
    await finishMany(house.ground)
    say(`  after ${FINISHED} tasks:`)
    return { counted, copied, bare, afterwards: await askAll(house, 'erasure') }
  })
  const many = await inHouse(50, house => askAll(house, 'erasure'))
  return [
    atLeast('counts through 5 adapters that answer in 20 ms', few.counted.rate, 300, '/s'),
    plain('  bare pg-boss and the same calls', few.bare, '/s'),
    atLeast('  ratio', few.counted.rate / few.bare, 0.4),
    ...few.counted.processor,
    atLeast('  with a million finished tasks, of that', few.afterwards.rate / few.counted.rate, 0.8),
    atLeast('counts and copies through 5 adapters', few.copied.rate, 300, '/s'),
    ...few.copied.processor,
    atLeast('counts through 50 adapters', many.rate, 300, '/s'),
    plain('  of that through 5', many.rate / few.counted.rate),
  ]
}

interface House {
  ground: Ground
  service: Service
  operator: ReturnType<typeof apiClient>
  /** Those that answer. */
  adapters: Ground['adapters']
  /** The one that is suspended. */
  silent: string
}

/** With everything warm. */
async function inHouse<T>(adapters: number, work: (house: House) => Promise<T>): Promise<T> {
  const ground = await openGround({ quickAdapters: adapters + 1 })
  try {
    const service = await ground.startService('all')
    await registerAdapters(ground, service)
    const operator = apiClient(service.url, ground.issuer.mint('support_agent', { sub: 'operator-1', roles: ['operator'] }))
    const [silent] = await ground.sql<{ id: string }>('SELECT id FROM adapter WHERE name = $1', [ground.adapters.at(-1)?.name])
    if (!silent) throw new Error('An adapter is missing.')
    await operator('POST', `/v1/adapters/${silent.id}/suspension`)
    const house = { ground, service, operator, adapters: ground.adapters.slice(0, -1), silent: silent.id }
    say(`  ${adapters} adapters:`)
    await askAll(house, 'erasure', TASKS / 10)
    await ground.sql('ANALYZE') // as the database does by itself, a minute later
    await askAll(house, 'erasure', TASKS / 10)
    return await work(house)
  } finally {
    await ground.close()
  }
}

/** Lets so many tasks gather while the adapters are not to be asked, then has them asked. */
async function askAll(house: House, type: 'erasure' | 'access', tasks = TASKS): Promise<{ rate: number; processor: Figure[] }> {
  const { ground, service, operator, adapters } = house
  await operator('POST', '/v1/adapters/suspension')
  const each = type === 'access' ? 2 : 1
  const people = Array.from({ length: tasks / adapters.length / each }, () => randomUUID())
  while (people.length > 0)
    await Promise.all(
      people
        .splice(0, OPENED_AT_ONCE)
        .map(userId => openVouched(ground, service, { userId, email: `${userId}@campus.example` }, type)),
    )
  await until(async () => (await undone(house)) === tasks && (await isQuiet(ground)))
  const spent = await watchProcessor(ground, service)
  const started = performance.now()
  await operator('DELETE', '/v1/adapters/suspension')
  await until(async () => (await undone(house)) === 0)
  const rate = tasks / ((performance.now() - started) / 1000)
  const processor = (await spent(tasks, 'task')).filter(({ what }) => /: (service|database)$/.test(what))
  await requireAllDone(house)
  say(`  ${type}: ${rate.toFixed(0)} tasks/s`)
  return { rate, processor }
}

/** How many are not done. @throws where one has failed and would keep the figure from being one */
async function undone({ ground, silent }: House): Promise<number> {
  const [row] = await ground.sql<{ tasks: number; failed: number }>(
    `SELECT count(*)::int AS tasks, count(*) FILTER (WHERE failures > 0)::int AS failed
     FROM (SELECT * FROM task WHERE state IN ('ready', 'accepted', 'running') UNION ALL SELECT * FROM task WHERE state = 'waiting') AS t
     WHERE adapter_id <> $1`,
    [silent],
  )
  if (row?.failed) throw new Error(`${row.failed} calls failed.`)
  return row?.tasks ?? 0
}

async function requireAllDone({ ground, silent }: House): Promise<void> {
  const [left] = await ground.sql<{ tasks: number }>(
    `SELECT count(*)::int AS tasks FROM task WHERE state <> 'done' AND adapter_id <> $1`,
    [silent],
  )
  if (left?.tasks !== 0) throw new Error(`${left?.tasks} tasks did not come to their end.`)
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
async function bareJobs({ adapters, ground: { databaseUrl } }: House): Promise<number> {
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

async function takeJobs(boss: PgBoss, adapters: House['adapters']): Promise<void> {
  for (;;) {
    const [job] = await boss.fetch<{ adapter: number; userId: string }>('ask')
    const adapter = adapters[job?.data.adapter ?? -1]
    if (!job || !adapter) return
    await countIn(adapter, { userId: job.data.userId, email: '' })
    await boss.complete('ask', job.id)
  }
}

/** A past: requests that ended long ago, with a million tasks, each as it was left. Foreign keys are not looked up for each. */
async function finishMany({ sql }: Ground): Promise<void> {
  const columns = await sql<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'dsar_request' AND column_name NOT IN ('id', 'state', 'created_at')`,
  )
  const same = columns.map(({ name }) => `"${name}"`).join(', ')
  const perRequest = 10
  await sql('SET session_replication_role = replica')
  for (let done = 0; done < FINISHED; done += FINISHED_AT_ONCE)
    await sql(
      `WITH one AS (SELECT * FROM dsar_request LIMIT 1),
       past AS (INSERT INTO dsar_request (id, state, created_at, ${same})
         SELECT uuidv7(), 'completed', now() - interval '90 days', ${same} FROM one, generate_series(1, $1) RETURNING id)
       INSERT INTO task (id, request_id, adapter_id, adapter, action, state, config, due_at, run_at, created_at, finished_at, attempt, answer)
       SELECT uuidv7(), past.id, a.id, a.name, action, 'done', like_it.config, now(), now(), now() - interval '90 days', now() - interval '90 days', 1, like_it.answer
       FROM past, adapter a, unnest(ARRAY['locate', 'collect']) action, LATERAL (SELECT config, answer FROM task WHERE adapter_id = a.id AND state = 'done' LIMIT 1) like_it`,
      [FINISHED_AT_ONCE / perRequest],
    )
  await sql('RESET session_replication_role')
  await sql('VACUUM ANALYZE task, dsar_request')
}
