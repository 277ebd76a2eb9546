import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addDays, type Day, dayIn, endOfDay, latest } from '../../src/domain/day.ts'
import { report } from '../../src/operations/reports.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const OURS = 'Asia/Colombo'
const FARTHEST = 'Pacific/Kiritimati'
const ZONES = ['Asia/Colombo', 'Pacific/Pago_Pago', 'Pacific/Kiritimati', 'europe/berlin', 'America/New_York', '+05:30']
const ANSWERS = ['completed', 'refused']

interface Case {
  right: string
  relationship: string
  state: string
  receivedAt: Date
  closedAt: Date | null
  dueOn: Day
  legalDueOn: Day
  timeZone: string
  extended: boolean
  grounds: string[]
}

const CASE: Case = {
  right: 'access',
  relationship: 'self',
  state: 'completed',
  receivedAt: new Date('2026-03-02T08:00:00Z'),
  closedAt: new Date('2026-03-05T20:00:00Z'),
  dueOn: '2026-04-01',
  legalDueOn: '2026-04-02',
  timeZone: 'Europe/Berlin',
  extended: false,
  grounds: [],
}

let service: Service
/** Another officer for each call: the clock moves away from tokens, and nobody may ask for as many reports. */
const officer: Call = (...call) => callers(service).agent(['privacy_officer'], randomUUID())(...call)

beforeAll(async () => {
  service = await startService({ working: false })
})
afterAll(() => service.close())
afterEach(() => service.sql('DELETE FROM dsar_request'))

async function insert(cases: readonly Partial<Case>[]): Promise<void> {
  const rows = cases.map(one => ({ ...CASE, ...one, id: randomUUID() }))
  await service.sql(
    `INSERT INTO dsar_request (id, "right", state, received_at, created_at, due_on, legal_due_on, locale, time_zone, channel,
       relationship, opened_by_kind, opened_by, assurance_needed, assurance, policy_version, closed_at)
     SELECT id, "right", state, "receivedAt", "receivedAt", "dueOn", "legalDueOn", 'en', "timeZone", 'web', relationship, 'portal', 'p', 1, 1, '1', "closedAt"
     FROM jsonb_to_recordset($1) AS r(id uuid, "right" text, relationship text, state text, "receivedAt" timestamptz, "closedAt" timestamptz, "dueOn" date,
       "legalDueOn" date, "timeZone" text)`,
    [JSON.stringify(rows)],
  )
  const decisions = rows.flatMap(({ id, extended, grounds }) => [
    ...(extended ? [{ stream: `request:${id}`, event: 'extended', facts: { reason: 'complexity' } }] : []),
    ...grounds.map((ground, i) => ({ stream: `request:${id}`, event: i > 0 ? 'refused_partly' : 'refused', facts: { ground } })),
  ])
  await service.sql(
    `INSERT INTO audit_entry SELECT stream, row_number() OVER (), now(), 'system', 'test', event, facts, '', '', 'k1', ''
     FROM jsonb_to_recordset($1) AS e(stream text, event text, facts jsonb)`,
    [JSON.stringify(decisions)],
  )
}

/** The same count as anybody would make it who had all cases before them on paper. */
function countOf(cases: readonly Case[], now: Date, ours: string) {
  const closingDay = ({ closedAt, timeZone }: Case) =>
    latest([timeZone === '+05:30' ? FARTHEST : timeZone, ours].map(zone => dayIn(closedAt ?? now, zone)))
  const isLate = (one: Case) => closingDay(one) > (one.extended ? one.legalDueOn : ([one.dueOn, one.legalDueOn].sort()[0] as Day))
  const count = (fits: (one: Case) => boolean) => cases.filter(fits).length
  const isAnswered = ({ state }: Case) => ANSWERS.includes(state)
  const days = cases
    .filter(isAnswered)
    .map(({ receivedAt, closedAt }) => (Number(closedAt) - Number(receivedAt)) / 86_400_000)
    .sort((a, b) => a - b)
  const refused: Record<string, number> = {}
  for (const ground of cases.flatMap(({ grounds }) => [...new Set(grounds)])) refused[ground] = (refused[ground] ?? 0) + 1
  const represented: Record<string, number> = {}
  for (const { relationship } of cases)
    if (relationship !== 'self') represented[relationship] = (represented[relationship] ?? 0) + 1
  return {
    received: cases.length,
    answeredInTime: count(one => isAnswered(one) && !isLate(one)),
    answeredLate: count(one => isAnswered(one) && isLate(one)),
    open: count(({ closedAt }) => !closedAt),
    overdue: count(one => !one.closedAt && isLate(one)),
    extended: count(({ extended }) => extended),
    refused,
    represented,
    withdrawn: count(({ state }) => state === 'withdrawn'),
    lapsed: count(({ state }) => state === 'lapsed'),
    cancelled: count(({ state }) => state === 'cancelled'),
    medianDays: days.length > 0 ? expect.closeTo(percentile(days, 0.5), 2) : null,
    p95Days: days.length > 0 ? expect.closeTo(percentile(days, 0.95), 2) : null,
  }
}

function percentile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return below + (above - below) * (at - Math.floor(at))
}

const naively = (cases: readonly Case[], from: Day, to: Day, now: Date, ours: string) => {
  const dayOf = ({ receivedAt }: Case) => dayIn(receivedAt, ours)
  const within = cases.filter(one => dayOf(one) >= from && dayOf(one) <= to)
  const grouped = (keyOf: (one: Case) => string) =>
    [...Map.groupBy(within, keyOf)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, group]) => ({ key, group }))
  return {
    from,
    to,
    months: grouped(one => `${dayOf(one).slice(0, 7)} ${one.right}`).map(({ key, group }) => ({
      month: key.slice(0, 7),
      right: key.slice(8),
      ...countOf(group, now, ours),
    })),
    rights: grouped(({ right }) => right).map(({ key, group }) => ({ right: key, ...countOf(group, now, ours) })),
  }
}

const HOUR = 3_600_000
/** Moments on both sides of the midnights that matter: to the millisecond, and as far as time zones lie apart. */
const around = (day: Day) =>
  fc
    .tuple(fc.constantFrom(...ZONES.filter(zone => zone !== '+05:30')), fc.constantFrom(-26 * HOUR, -HOUR, 0, 1, HOUR, 26 * HOUR))
    .map(([zone, shift]) => new Date(endOfDay(day, zone).getTime() + shift))

const someCase: fc.Arbitrary<Case> = fc
  .record({
    right: fc.constantFrom('access', 'portability'),
    relationship: fc.constantFrom('self', 'self', 'authorized_agent', 'heir'),
    state: fc.constantFrom('completed', 'completed', 'refused', 'withdrawn', 'lapsed', 'cancelled', 'fulfilling', 'verifying'),
    receivedAt: fc.constantFrom<Day>('2026-01-31', '2026-02-28', '2026-03-15', '2026-03-31', '2026-04-30').chain(around),
    promised: fc.integer({ min: 25, max: 31 }),
    lawful: fc.integer({ min: 15, max: 92 }),
    timeZone: fc.constantFrom(...ZONES),
    extended: fc.boolean(),
    grounds: fc.array(fc.constantFrom('manifestly_unfounded', 'excessive', 'exempt'), { maxLength: 2 }),
  })
  .chain(({ promised, lawful, ...one }) => {
    const receivedOn = dayIn(one.receivedAt, OURS)
    const [dueOn, legalDueOn] = [addDays(receivedOn, promised), addDays(receivedOn, lawful)]
    const open = one.state === 'fulfilling' || one.state === 'verifying'
    const closedAt = open ? fc.constant(null) : fc.oneof(around(dueOn), around(legalDueOn))
    return closedAt.map(at => ({ ...one, dueOn, legalDueOn, closedAt: at }))
  })

describe('a report', () => {
  test('counts what anybody would count on paper, whatever lies next to a midnight and wherever the controller is', async () => {
    const { databaseUrl: url, databaseRole: role } = service.config
    const { read, close } = await openDatabase({ url, ...(role && { role }), tables: [], poolSize: 1 })
    const now = new Date(endOfDay('2026-05-01', 'Europe/Berlin').getTime() - 1)
    const counting = fc.assert(
      fc.asyncProperty(
        fc.array(someCase, { maxLength: 60 }),
        fc.constantFrom<[Day, Day]>(['2026-02-01', '2026-03-31'], ['2026-01-31', '2026-05-01'], ['2026-02-28', '2026-02-28']),
        fc.constantFrom(OURS, 'Pacific/Pago_Pago', 'America/New_York'),
        async (cases, [from, to], timeZone) => {
          await service.sql('DELETE FROM dsar_request')
          await insert(cases)
          const counted = await report({ read, clock: { now: () => now }, timeZone }, { from, to })
          expect(counted).toEqual(naively(cases, from, to, now, timeZone))
        },
      ),
      { numRuns: 60 },
    )
    await counting.finally(close)
  })

  test('leaves out what nobody asked for: restrictions that we lifted of our own accord', async () => {
    await insert(['system', 'support_agent', 'data_subject'].map(() => ({ right: 'restriction' })))
    const ids = (await service.sql<{ id: string }>('SELECT id FROM dsar_request')).map(({ id }) => id)
    await insert([{ right: 'restriction' }])
    for (const [i, kind] of ['system', 'support_agent', 'data_subject'].entries())
      await service.sql(
        `UPDATE dsar_request SET opened_by_kind = $2, parent_id = (SELECT id FROM dsar_request WHERE id <> ALL($3)) WHERE id = $1`,
        [ids[i], kind, ids],
      )
    const { body } = await officer('/v1/reports?from=2026-03-01&to=2026-03-31')
    expect(body.rights).toEqual([expect.objectContaining({ right: 'restriction', received: 2, answeredInTime: 2 })])
  })

  test('puts a request into the month that the controller’s calendar shows', async () => {
    const midnight = endOfDay('2026-03-31', OURS).getTime() + 1
    await insert([{ receivedAt: new Date(midnight - 1) }, { receivedAt: new Date(midnight) }, { receivedAt: new Date(midnight) }])
    const { body } = await officer('/v1/reports?from=2026-01-01&to=2026-12-31')
    const counts = body.months.map(({ month, received }: { month: string; received: number }) => [month, received])
    expect(counts).toEqual([
      ['2026-03', 1],
      ['2026-04', 2],
    ])
  })

  test.each([
    ['before the last day is over anywhere', {}, '2026-04-01T09:59:59.999Z', 1],
    ['when the last day is over at the person’s', { timeZone: 'Pacific/Kiritimati' }, '2026-04-01T10:00:00Z', 0],
    ['when the last day is over at the controller’s', { timeZone: 'Pacific/Pago_Pago' }, '2026-04-01T18:30:00Z', 0],
    ['when it would still be that day at the person’s alone', { timeZone: 'Pacific/Pago_Pago' }, '2026-04-01T18:29:59.999Z', 1],
    ['in a zone that the database does not know', { timeZone: '-05:30' }, '2026-04-01T10:00:00Z', 0],
    ['after the law’s day, though before the promised one', { legalDueOn: '2026-03-20' as const }, '2026-03-25T12:00:00Z', 0],
    [
      'after the promised day, the period being longer',
      { extended: true, legalDueOn: '2026-06-01' as const },
      '2026-05-31T12:00:00Z',
      1,
    ],
  ])('counts an answer %s', async (_, one, closedAt, inTime) => {
    await insert([{ ...one, closedAt: new Date(closedAt) }])
    const { body } = await officer('/v1/reports?from=2026-03-01&to=2026-03-31')
    expect(body.months).toEqual([expect.objectContaining({ answeredInTime: inTime, answeredLate: 1 - inTime })])
  })

  test('covers this month and the eleven before it where nothing else is asked for', async () => {
    service.clock.advance(Date.parse('2026-11-22T12:00:00Z') - service.clock.now().getTime())
    const { body } = await officer('/v1/reports')
    expect(body).toEqual({ from: '2025-12-01', to: '2026-11-22', months: [], rights: [] })
  })

  test.each(['from=2026-02-01&to=2026-01-31', 'from=2016-01-01&to=2026-01-01', 'from=2026-02-30', 'to=9999-12-31', 'by=week'])(
    'is not made for %s',
    async query => {
      expect(await officer(`/v1/reports?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    },
  )

  test('is for the officers and the operators', async () => {
    const { agent, service: crm, person, anybody } = callers(service)
    const calls = [agent(['agent']), crm(), person('u-1', 'u@example.org'), anybody, agent(['dpo']), agent(['operator'])]
    const answers = await Promise.all(calls.map(call => call('/v1/reports')))
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 401, 200, 200])
  })
})

describe('a report as CSV', () => {
  test('is a table of the months, which a spreadsheet takes for nothing but text and numbers', async () => {
    await insert([
      { receivedAt: new Date('2026-02-10T00:00:00Z'), closedAt: new Date('2026-02-11T12:00:00Z') },
      { relationship: 'heir', state: 'refused', grounds: ['excessive', 'a "b", c'], closedAt: new Date('2026-03-02T20:00:00Z') },
    ])
    const answer = await officer('/v1/reports?from=2026-01-01&to=2026-12-31', { headers: { accept: 'text/csv' } })
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="requests-2026-01-01-2026-12-31.csv"')
    expect(answer.headers.get('vary')).toBe('Accept')
    expect(answer.body.split('\r\n')).toEqual([
      'month,right,received,answeredInTime,answeredLate,open,overdue,extended,withdrawn,lapsed,cancelled,medianDays,p95Days,"refused: a ""b"", c",refused: excessive,represented: heir',
      '2026-02,access,1,1,0,0,0,0,0,0,0,1.5,1.5,0,0,0',
      '2026-03,access,1,1,0,0,0,0,0,0,0,0.5,0.5,1,1,1',
      '',
    ])
  })

  test.each([
    ['application/json, text/csv;q=0.5', false],
    ['text/csv;q=0', false],
    ['*/*', false],
    ['text/*, application/json', false],
    ['text/csv, */*;q=0.1', true],
    ['Text/CSV ; header=present ; q=0.9, application/json;q=0.8', true],
  ])('is what somebody gets who sends Accept: %s — %s', async (accept, csv) => {
    const { headers } = await officer('/v1/reports', { headers: { accept } })
    expect(headers.get('content-type')?.startsWith('text/csv')).toBe(csv)
  })
})
