import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createApp } from '../../src/app.ts'
import { addDays, type Day } from '../../src/domain/day.ts'
import { callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service

const send = () => service.app.handlers['send-digest']({})
const digests = () =>
  service.sql<{ id: string; state: string; dedupe: string }>(
    `SELECT id, state, dedupe FROM letter WHERE kind = 'daily-digest' ORDER BY id`,
  )
const waitingForLocks = () =>
  service.sql(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
/** Today at the controller's, in Colombo. */
const today = () => new Date(service.clock.now().getTime() + 5.5 * 3_600_000).toISOString().slice(0, 10) as Day

/** The mail with today's digest. */
async function digest() {
  await send()
  for (const { id } of await digests()) await service.app.handlers['send-letter']({ letterId: id })
  const [mail] = service.mailbox.messages()
  return { to: mail?.envelope.to, subject: mail?.subject ?? '', text: mail?.text ?? '' }
}

async function open({ dueIn, flags = [] }: { dueIn: number; flags?: string[] }): Promise<string> {
  const userId = randomUUID()
  const { body } = await callers(service).person(userId, `${userId}@canary.test`)('/v1/requests', {
    body: { type: 'access', subject: {} },
  })
  await service.sql('UPDATE dsar_request SET due_on = $2, legal_due_on = $3, flags = $4 WHERE id = $1', [
    ...[body.id, addDays(today(), dueIn + 1), addDays(today(), dueIn), flags],
  ])
  return body.id
}

const section = (text: string, heading: string) => text.split(heading)[1]?.split(/\n\n(?!\*)/)[0] ?? ''

beforeAll(async () => {
  service = await startService({ working: false })
})
afterAll(() => service.close())
beforeEach(async () => {
  service.mailbox.clear()
  await service.sql(`DELETE FROM letter WHERE kind = 'daily-digest'`)
  await service.sql('UPDATE dsar_request SET closed_at = now()')
})

test('the digest tells the officer what is overdue, due soon and waiting for a decision, by reference alone', async () => {
  const overdue = await open({ dueIn: -1 })
  const soon = await open({ dueIn: 10, flags: ['late_risk', 'needs_decision'] })
  const later = await open({ dueIn: 11 })
  const { to, subject, text } = await digest()
  expect(to).toEqual([service.config.privacyOfficer])
  expect(subject).toMatch(/^Open requests on \w+ \d+, \d{4}$/)
  expect(text).toContain('3 requests are open.')
  expect(section(text, 'Overdue: 1')).toContain(overdue)
  expect(section(text, 'Due within ten days: 1')).toMatch(new RegExp(`${soon}.*flags: late_risk, needs_decision`, 's'))
  expect(section(text, 'Waiting for a decision: 1')).toContain(soon)
  expect(text).not.toContain(later)
  expect(text).not.toMatch(/canary/)
})

test('a day when nothing is open has a digest too', async () => {
  const { text } = await digest()
  expect(text).toMatch(/0 requests are open\..*Overdue: 0.*Due within ten days: 0.*Waiting for a decision: 0/s)
})

test('of a long list the most urgent are named, and the others counted', async () => {
  const first = await open({ dueIn: -100 })
  await service.sql(
    `INSERT INTO dsar_request (id, "right", state, received_at, created_at, due_on, legal_due_on, locale, time_zone, channel,
       relationship, opened_by_kind, opened_by, assurance_needed, policy_version)
     SELECT gen_random_uuid(), 'access', 'verifying', now(), now(), '2020-01-01', '2020-01-01', 'en', 'UTC', 'portal', 'self', 'anonymous', '',
       1, '2025-01-18' FROM generate_series(1, 70)`,
  )
  const { text } = await digest()
  expect(section(text, 'Overdue: 71').match(/^\* [0-9a-f-]{36},/gm)).toHaveLength(50)
  expect(text).toContain('* and 21 more')
  expect(text).not.toContain(first)
})

test('one goes out a day, however many workers the clock wakes, and the next on the next day', async () => {
  const other = await createApp(service.config, { clock: service.clock })
  try {
    const held = await service.connect()
    await held.query('BEGIN')
    await held.query('LOCK TABLE letter IN SHARE MODE') // both have looked before either can write
    const both = [send(), other.handlers['send-digest']({})]
    await eventually(async () => (await waitingForLocks()).length === 2)
    await held.query('COMMIT')
    await Promise.all(both)
    await send()
    expect(await digests()).toHaveLength(1)
    service.clock.advance(86_400_000)
    await send()
    expect((await digests()).map(({ dedupe }) => dedupe)).toEqual([`digest|${addDays(today(), -1)}`, `digest|${today()}`])
  } finally {
    service.clock.advance(-86_400_000)
    await other.close()
  }
})

test('it says how many webhooks reach nobody any more, and nothing of it where all are reached', async () => {
  expect((await digest()).text).not.toContain('webhook')
  service.mailbox.clear()
  await service.sql(`DELETE FROM letter WHERE kind = 'daily-digest'`)
  await service.sql(
    `INSERT INTO webhook (id, owner, url, events, secrets_sealed, state, disabled_because, failing_since, created_at, changed_at)
     SELECT gen_random_uuid(), 'crm', '', '{request.opened}', '', state, because, since::timestamptz, now(), now() FROM (VALUES
       ('active', NULL, NULL), ('active', NULL, '2026-01-01'), ('disabled', 'gone', NULL), ('disabled', 'switched_off', '2026-01-01')
     ) AS one (state, because, since)`,
  )
  expect((await digest()).text).toContain('2 webhooks reach nobody any more')
})
