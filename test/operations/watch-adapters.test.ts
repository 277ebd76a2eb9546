import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { type Call, callers } from '../support/callers.ts'
import { casesIn } from '../support/cases.ts'
import { type Service, startService } from '../support/service.ts'

const OWNER = 'archive-team@almastack.example'
const HOUR = 3_600_000

let service: Service
let database: Database
let officer: Call
let cases: ReturnType<typeof casesIn>
let adapter: string

beforeEach(async () => {
  service = await startService({ working: false })
  officer = callers(service).agent(['privacy_officer'])
  database = await openDatabase({ url: service.config.databaseUrl, tables: [] })
  cases = casesIn(database.read)
  adapter = await cases.adapter({ name: 'archive' })
  await service.sql('UPDATE adapter SET owner = $1', [OWNER])
})
afterEach(async () => {
  await database.close()
  await service.close()
})

const health = async () => (await officer(`/v1/adapters/${adapter}/health`)).body
const inHours = (hours: number) => new Date(service.clock.now().getTime() + hours * HOUR)

/** `count` tasks that are owed, one due every hour from the given one on. */
async function owed(count: number, firstDueInHours: number): Promise<void> {
  for (let n = 0; n < count; n += 1)
    await cases.task(await cases.request(), adapter, { dueAt: inHours(firstDueInHours + n).toISOString() })
}

/** `count` answers within the last hour, each of which took so long. */
async function answered(count: number, tookMs: number): Promise<void> {
  await owed(count, 1000)
  await service.sql(
    `UPDATE task SET state = 'done', finished_at = $1::timestamptz - interval '10 minutes',
       started_at = $1::timestamptz - interval '10 minutes' - make_interval(secs => $2::float / 1000) WHERE due_at > $3`,
    [service.clock.now(), tookMs, inHours(900)],
  )
}
const watch = () => service.app.handlers['watch-adapters']({})
const lettersWritten = async () =>
  (
    await service.sql<{ dedupe: string }>(
      `SELECT dedupe FROM letter WHERE kind = 'adapter-late' ORDER BY split_part(dedupe, '|', 4)`,
    )
  ).map(row => row.dedupe.replace(/^.*\|/, ''))

describe('how an adapter does', () => {
  test('is told by what it owes, how fast it answers and when it will be done', async () => {
    await answered(12, 400)
    await owed(6, 5)
    const before = service.clock.now().getTime()
    const seen = await health()
    expect(seen).toMatchObject({ name: 'archive', state: 'live', breaker: 'closed', restingUntil: null, backlog: 6, late: 0 })
    expect(seen).toMatchObject({ answersPerHour: 12, medianMs: 400, p95Ms: 400 })
    const minutes = (Date.parse(seen.doneAt) - before) / 60_000
    expect(Math.round(minutes)).toBe(30)
  })

  test('is told of one that never answered without guessing', async () => {
    await owed(2, 5)
    expect(await health()).toMatchObject({ backlog: 2, answersPerHour: 0, medianMs: null, p95Ms: null, doneAt: null, late: 0 })
  })

  test('says that it is left in peace, and for how long', async () => {
    await service.sql(`UPDATE adapter SET strikes = 5, resting_until = now() + interval '5 minutes'`)
    const seen = await health()
    expect(seen.breaker).toBe('open')
    expect(Date.parse(seen.restingUntil)).toBeGreaterThan(Date.now())
    await service.sql(`UPDATE adapter SET resting_until = now()`)
    expect(await health()).toMatchObject({ breaker: 'half_open' })
  })

  test('is measured for the monitoring, by name', async () => {
    await answered(12, 400)
    await owed(6, 5)
    const measured = async () =>
      Object.fromEntries(
        (await callers(service).anybody('/metrics')).bytes
          .toString()
          .split('\n')
          .flatMap(line => [/^dsar_adapter_(\w+)\{adapter="archive"\} (.+)$/.exec(line)])
          .flatMap(found => (found ? [[found[1], Number(found[2])]] : [])),
      )
    expect(await measured()).toEqual({
      asked: 1,
      backlog: 6,
      late: 0,
      answers_per_hour: 12,
      answer_seconds_median: 0.4,
      answer_seconds_p95: 0.4,
    })
    await service.sql(`UPDATE adapter SET strikes = 5, resting_until = now() + interval '5 minutes'`)
    expect((await measured()).asked).toBe(0)
  })

  test('is for those who run it', async () => {
    const as = callers(service)
    expect((await as.service()(`/v1/adapters/${adapter}/health`)).status).toBe(200)
    expect((await as.person('u-1', 'a@example.org')(`/v1/adapters/${adapter}/health`)).status).toBe(403)
    expect((await officer('/v1/adapters/01981f6e-2a50-7c3a-9d57-0d6f2b1c4e88/health')).status).toBe(404)
  })
})

describe('an adapter that will be late', () => {
  test('at its pace is told to the officer and to its owner, by name, while there is time, once a day', async () => {
    await answered(12, 400)
    await owed(30, 1) // twelve an hour: the first twelve are done in the first hour, and one more is due in each
    await watch()
    expect(await lettersWritten()).toEqual([])
    await service.sql(`UPDATE task SET due_at = $1 WHERE state <> 'done'`, [inHours(2.01)])
    expect(await health()).toMatchObject({ backlog: 30, late: 6 })
    await watch()
    await watch()
    expect(await lettersWritten()).toEqual(['officer', 'owner'])
    const [entry, ...more] = await service.sql<{ facts: object }>(
      `SELECT facts FROM audit_entry WHERE event = 'lateness_expected'`,
    )
    expect(more).toEqual([])
    expect(entry?.facts).toEqual({ adapterId: adapter, adapter: 'archive', backlog: 30, late: 6, answersPerHour: 12 })
    service.clock.advance(24 * HOUR)
    await watch()
    expect(await lettersWritten()).toEqual(['officer', 'officer', 'owner', 'owner'])
  })

  test('because it is out of order is told when something is due within three days', async () => {
    await owed(1, 100)
    await service.sql('UPDATE adapter SET strikes = 7')
    await watch()
    expect(await lettersWritten()).toEqual([])
    await owed(1, 60)
    await watch()
    expect(await lettersWritten()).toEqual(['officer', 'owner'])
  })

  test('but was suspended or is on trial is told as well: its deadlines run on', async () => {
    await service.sql(`UPDATE adapter SET state = 'suspended', strikes = 0`)
    await owed(1, 60)
    await watch()
    expect(await lettersWritten()).toEqual(['officer', 'owner'])
  })
})

describe('the traffic to all', () => {
  test('is stopped and goes on at once, and who was suspended before stays so', async () => {
    const other = await cases.adapter({ name: 'billing', state: 'suspended' })
    const manifest = {
      protocol: 'dsar-adapter/1',
      name: 'x',
      actions: ['collect'],
      identityTypes: [],
      limits: { concurrency: 1, perMinute: 1, batch: 1 },
      eraseAfter: [],
      cancellable: false,
      datasets: [],
    }
    await service.sql('UPDATE adapter SET approved_version = contact_version, manifest = $1', [manifest])
    const stopped = await officer('/v1/adapters/suspension', { method: 'POST' })
    expect(stopped.body.adapters.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
      ['archive', 'suspended'],
    ])
    expect((await officer('/v1/adapters/suspension', { method: 'POST' })).body.adapters).toEqual([])
    const resumed = await officer('/v1/adapters/suspension', { method: 'DELETE' })
    expect(resumed.body.adapters.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
      ['archive', 'live'],
    ])
    expect((await officer(`/v1/adapters/${other}`)).body.state).toBe('suspended')
    const events = await service.sql<{ event: string }>(`SELECT event FROM audit_entry WHERE stream = 'adapters' ORDER BY seq`)
    expect(events.map(({ event }) => event)).toEqual(['adapter_suspended', 'adapter_resumed'])
    expect((await callers(service).agent(['agent'])('/v1/adapters/suspension', { method: 'POST' })).status).toBe(403)
  })
})
