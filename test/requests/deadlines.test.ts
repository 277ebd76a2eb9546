import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createApp } from '../../src/app.ts'
import { ALARM_LEVELS } from '../../src/domain/alarms.ts'
import { addDays, type Day } from '../../src/domain/day.ts'
import { callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { type Service, startService } from '../support/service.ts'

const LEVELS = Object.keys(ALARM_LEVELS)

interface Opened {
  id: string
  dueOn: Day
  userId: string
  email: string
}

let service: Service
let started: number

const watch = () => service.app.handlers['watch-deadlines']({})
/** Noon of a day at the controller's, in Colombo. */
const noonOf = (day: Day) => moveTo(`${day}T12:00:00+05:30`)
const moveTo = (instant: string) => service.clock.advance(Date.parse(instant) - service.clock.now().getTime())
const levelsOf = async (id: string) =>
  (
    await service.sql<{ level: string }>('SELECT level FROM deadline_alarm WHERE request_id = $1 ORDER BY raised_at, level', [id])
  ).map(({ level }) => level)
const lettersAbout = (id: string) =>
  service.sql<{ id: string }>(`SELECT id FROM letter WHERE request_id = $1 AND kind = 'deadline-alarm'`, [id])
const recorded = async (id: string, event: string) =>
  service.sql<{ facts: { level: string } }>('SELECT facts FROM audit_entry WHERE stream = $1 AND event = $2 ORDER BY seq', [
    `request:${id}`,
    event,
  ])
const waitingForLocks = () =>
  service.sql(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
const requestOf = async (id: string) =>
  (await service.sql<{ state: string; flags: string[] }>('SELECT state, flags FROM dsar_request WHERE id = $1', [id]))[0]

/** A person's own request, proven by their login; nobody works on it. */
async function proven(): Promise<Opened> {
  const userId = randomUUID()
  const email = `${userId.slice(0, 8)}@example.org`
  const { body } = await callers(service).person(userId, email)('/v1/requests', { body: { type: 'access', subject: {} } })
  return { id: body.id, dueOn: body.dueOn, userId, email }
}

/** A request of somebody who has proven nothing. */
async function unproven(): Promise<Opened> {
  const email = `${randomUUID()}@example.org`
  const { body } = await callers(service).anybody('/v1/requests', {
    body: { type: 'access', subject: { identities: [{ type: 'email', value: email }] } },
  })
  return { id: body.id, dueOn: body.dueOn, userId: '', email }
}

beforeAll(async () => {
  service = await startService({ working: false })
  started = service.clock.now().getTime()
})
afterAll(() => service.close())
beforeEach(() => moveTo(new Date(started).toISOString()))

describe('the alarms of a request', () => {
  test('are raised each on its day and each once, however often somebody looks', async () => {
    const { id, dueOn } = await proven()
    const seen: Record<number, string[]> = {}
    for (const days of [11, 10, 9, 4, 3, 2, 1, 0, -1, -5]) {
      noonOf(addDays(dueOn, -days))
      await watch()
      await watch()
      seen[days] = await levelsOf(id)
    }
    expect(seen).toEqual({
      11: [],
      10: LEVELS.slice(0, 1),
      9: LEVELS.slice(0, 1),
      4: LEVELS.slice(0, 1),
      3: LEVELS.slice(0, 2),
      2: LEVELS.slice(0, 2),
      1: LEVELS.slice(0, 3),
      0: LEVELS,
      [-1]: LEVELS,
      [-5]: LEVELS,
    })
    expect((await recorded(id, 'deadline_alarm')).map(({ facts }) => facts.level)).toEqual(LEVELS)
    expect(await lettersAbout(id)).toHaveLength(4)
  })

  test('are raised late rather than never, when the clock leaps a month', async () => {
    const { id, dueOn } = await proven()
    noonOf(addDays(dueOn, 1))
    await watch()
    expect((await recorded(id, 'deadline_alarm')).map(({ facts }) => facts.level)).toEqual(LEVELS)
    expect((await requestOf(id))?.flags).toEqual(['late_risk', 'overdue'])
  })

  test('are not raised again when the clock falls back', async () => {
    const { id, dueOn } = await proven()
    for (const days of [3, 4, 11, 3]) {
      noonOf(addDays(dueOn, -days))
      await watch()
    }
    expect(await levelsOf(id)).toHaveLength(2)
    expect(await lettersAbout(id)).toHaveLength(2)
  })

  test('are not raised again by a process that has just started', async () => {
    const { id, dueOn } = await proven()
    noonOf(addDays(dueOn, -1))
    await watch()
    const next = await createApp(service.config, { clock: service.clock, log: service.app.log })
    await next.handlers['watch-deadlines']({})
    await next.close()
    expect(await recorded(id, 'deadline_alarm')).toHaveLength(3)
    expect(await lettersAbout(id)).toHaveLength(3)
  })

  test('are raised once by two who look at the same moment, ten minutes apart by their clocks', async () => {
    const { id, dueOn } = await proven()
    noonOf(dueOn)
    const slow = { now: () => new Date(service.clock.now().getTime() - 600_000) }
    const other = await createApp(service.config, { clock: slow, log: service.app.log })
    const holder = await service.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])
    const both = [watch(), other.handlers['watch-deadlines']({})]
    await eventually(async () => (await waitingForLocks()).length === 2)
    await holder.query('COMMIT')
    await Promise.all(both)
    await other.close()
    expect((await recorded(id, 'deadline_alarm')).map(({ facts }) => facts.level)).toEqual(LEVELS)
    expect(await lettersAbout(id)).toHaveLength(4)
  })

  test('come with the day where it begins first, at the person or at the controller', async () => {
    const [early, late] = [await proven(), await proven()]
    await service.sql(`UPDATE dsar_request SET time_zone = 'Pacific/Kiritimati' WHERE id = $1`, [early.id])
    await service.sql(`UPDATE dsar_request SET time_zone = 'Pacific/Pago_Pago' WHERE id = $1`, [late.id])
    moveTo(`${addDays(early.dueOn, -1)}T10:30:00Z`) // the due day in Kiritimati, the day before in Colombo, two before in Pago Pago
    await watch()
    expect([await levelsOf(early.id), await levelsOf(late.id)].map(levels => levels.length)).toEqual([4, 3])
  })

  test('end with the request', async () => {
    const { id, dueOn } = await proven()
    await service.sql(`UPDATE dsar_request SET state = 'cancelled', closed_at = now() WHERE id = $1`, [id])
    noonOf(dueOn)
    await watch()
    expect(await levelsOf(id)).toEqual([])
  })

  test('are counted, and what is overdue shows', async () => {
    const counted = async () =>
      Number(
        /^dsar_deadline_alarms_total\{level="due"\} (\d+)/m.exec((await callers(service).anybody('/metrics')).body)?.[1] ?? 0,
      )
    const { id, dueOn } = await proven()
    noonOf(addDays(dueOn, 1))
    await watch()
    const before = await counted()
    await watch()
    expect([before > 0, await counted()]).toEqual([true, before])
    const page = await callers(service).agent()('/v1/requests?flag=overdue&limit=100')
    expect(page.body.requests.map((request: { id: string }) => request.id)).toContain(id)
    expect((await callers(service).anybody('/metrics')).body).toMatch(/^dsar_flags\{flag="overdue"\} [1-9]/m)
  })
})

describe('what the privacy officer is mailed', () => {
  test('says which request, how urgent and how it stands, and nothing of the person', async () => {
    const { id, dueOn, email, userId } = await proven()
    noonOf(addDays(dueOn, -3))
    await watch()
    for (const letter of await lettersAbout(id)) await service.app.handlers['send-letter']({ letterId: letter.id })
    const mails = service.mailbox.messages().filter(({ text }) => text.includes(id))
    expect(mails.map(({ envelope }) => envelope.to)).toEqual([[service.config.privacyOfficer], [service.config.privacyOfficer]])
    for (const { text, html, subject, headers } of mails)
      for (const said of [email, userId, 'u-', 'example.org'])
        expect(subject + text + html + JSON.stringify(headers)).not.toContain(said)
  })
})

describe('a look that fails', () => {
  beforeAll(async () => {
    await service.sql(
      `CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken by the test'; END $$`,
    )
  })
  afterEach(async () => {
    await service.sql('DROP TRIGGER IF EXISTS broken ON deadline_alarm; DROP TRIGGER IF EXISTS broken ON audit_entry')
  })

  test('at one request still reaches the others, and comes back for it', async () => {
    const [first, second] = [await proven(), await proven()]
    await service.sql(
      `CREATE TRIGGER broken BEFORE INSERT ON deadline_alarm FOR EACH ROW WHEN (NEW.request_id = '${first.id}') EXECUTE FUNCTION break()`,
    )
    noonOf(first.dueOn)
    await expect(watch()).rejects.toThrow('1 could not be done')
    expect([await levelsOf(first.id), await levelsOf(second.id)]).toEqual([[], expect.arrayContaining(LEVELS)])
    await service.sql('DROP TRIGGER broken ON deadline_alarm')
    await watch()
    expect(await recorded(first.id, 'deadline_alarm')).toHaveLength(4)
  })

  test('to put an alarm on the record raises none', async () => {
    const { id, dueOn } = await proven()
    await service.sql('CREATE TRIGGER broken BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION break()')
    noonOf(dueOn)
    await expect(watch()).rejects.toThrow()
    expect([await levelsOf(id), await lettersAbout(id), (await requestOf(id))?.flags]).toEqual([[], [], []])
  })
})

describe('a request that nobody proved', () => {
  test('lapses on the day after the last', async () => {
    const { id, dueOn } = await unproven()
    noonOf(dueOn)
    await watch()
    expect((await requestOf(id))?.state).toBe('verifying')
    noonOf(addDays(dueOn, 1))
    await watch()
    expect((await requestOf(id))?.state).toBe('lapsed')
    expect(
      await service.sql(`SELECT 1 FROM pgboss.job WHERE name = 'close-case' AND data->>'requestId' = $1`, [id]),
    ).toHaveLength(1)
  })

  test('lapses only when that day is over for the person, too', async () => {
    const { id, dueOn } = await unproven()
    await service.sql(`UPDATE dsar_request SET time_zone = 'Pacific/Pago_Pago' WHERE id = $1`, [id])
    moveTo(`${addDays(dueOn, 1)}T10:30:00Z`) // half past eleven at night on the last day, over there
    await watch()
    expect(await requestOf(id)).toEqual({ state: 'verifying', flags: ['late_risk', 'overdue'] })
    moveTo(`${addDays(dueOn, 1)}T11:00:00Z`)
    await watch()
    expect((await requestOf(id))?.state).toBe('lapsed')
  })

  test.each(['on_hold', 'failed_job'])('stays open when the person was not asked because it is %s', async flag => {
    const { id, dueOn } = await unproven()
    await service.sql('UPDATE dsar_request SET flags = ARRAY[$2] WHERE id = $1', [id, flag])
    noonOf(addDays(dueOn, 1))
    await watch()
    expect(await requestOf(id)).toEqual({ state: 'verifying', flags: [flag, 'late_risk', 'overdue'] })
  })

  test('stays open while an adapter still owes word of who it is', async () => {
    const { id, dueOn } = await unproven()
    const adapter = randomUUID()
    await service.sql(
      `INSERT INTO adapter (id, name, title, base_url, secrets_sealed, state, manifest, concurrency, per_minute, allowance_at, created_at, changed_at, live_since)
       VALUES ($1, 'people', 'People', 'http://127.0.0.1:1', '', 'live', '{}', 1, 1, now(), now(), now(), now())`,
      [adapter],
    )
    await service.sql(
      `INSERT INTO task (id, request_id, adapter_id, adapter, action, state, config, due_at, run_at, created_at)
       VALUES ($1, $2, $3, 'people', 'resolve', 'ready', '{}', now(), now(), now())`,
      [randomUUID(), id, adapter],
    )
    noonOf(addDays(dueOn, 1))
    await watch()
    expect((await requestOf(id))?.state).toBe('verifying')
    await service.sql(`UPDATE task SET state = 'done' WHERE request_id = $1`, [id])
    await watch()
    expect((await requestOf(id))?.state).toBe('lapsed')
  })

  test('is another matter than one that the person proved and we did not get to', async () => {
    const { id, dueOn } = await proven()
    noonOf(addDays(dueOn, 1))
    await watch()
    expect((await requestOf(id))?.state).toBe('verifying')
  })
})
