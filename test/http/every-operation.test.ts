import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { DeclaredRoute } from '../../src/http/declared-routes.ts'
import { callers } from '../support/callers.ts'
import { doorsOf, knock, nameOf, takesToken } from '../support/doors.ts'
import { expectPlain, withOdd } from '../support/odd-input.ts'
import { admittedTo, bodiesFor, type Operation, operationsOf } from '../support/operations.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let doors: DeclaredRoute[]
let operations: Map<string, Operation>

beforeAll(async () => {
  service = await startService({ working: false })
  doors = doorsOf(service)
  operations = operationsOf(service)
})
afterAll(() => service.close())

const tokenFor = (door: DeclaredRoute) => {
  const token = admittedTo(service, door)
  return token === undefined ? {} : { token }
}

/** A token of its own for each call and the limits of a caller lifted, so that nobody is turned away for calling too often. */
async function call(door: DeclaredRoute, how: Parameters<typeof knock>[2]) {
  const answer = await knock(service, door, { ...tokenFor(door), ...how })
  if (answer.statusCode === 429) await service.sql('TRUNCATE rate_limit')
  return answer.statusCode === 429 ? knock(service, door, { ...tokenFor(door), ...how }) : answer
}

const NEVER_ASKED_FOR = {
  tenantId: 'other',
  openedBy: 'u-other',
  verifiedAt: '2026-01-01T00:00:00Z',
  legalDueOn: '2099-01-01',
  approvedBy: 'dpo-1',
  isAdmin: true,
  policyVersion: '0',
}

/** Takes a document of the adapter protocol, of which version 1 may grow: what it does not name is dropped on reading. */
const A_DOCUMENT = 'POST /v1/requests/:id/tasks/:task/answer'

test('T26 no operation takes a field that it did not ask for', async () => {
  const before = await rowsThereAre()
  const taking = doors.filter(
    door => takesToken(door) && bodiesFor(operations, door)[0] !== undefined && nameOf(door) !== A_DOCUMENT,
  )
  expect(taking.length).toBeGreaterThan(15)
  for (const door of taking)
    for (const body of bodiesFor(operations, door))
      for (const [name, value] of Object.entries(NEVER_ASKED_FOR)) {
        const answer = await call(door, { body: { ...body, [name]: value } })
        expect([nameOf(door), name, answer.statusCode, answer.json().code]).toEqual([nameOf(door), name, 400, 'invalid_request'])
      }
  expect(await rowsThereAre()).toEqual(before)
}, 60_000)

async function rowsThereAre(): Promise<Record<string, number>> {
  const tables = ['dsar_request', 'request_identity', 'audit_entry', 'legal_hold', 'letter', 'adapter']
  const counts = tables.map(async name => [name, (await service.sql(`SELECT 1 FROM ${name}`)).length] as const)
  return Object.fromEntries(await Promise.all(counts))
}

const TAKES_BYTES = 'POST /v1/requests/:id/attachments'

test('T29 no operation takes a method for another, a name twice, or one it does not know', async () => {
  for (const door of doors.filter(takesToken)) {
    const overridden = await call(door, { headers: { 'x-http-method-override': 'DELETE' } })
    const twice = await call(door, { query: `?id=${randomUUID()}&id=${randomUUID()}` })
    const unknown = await call(door, { query: '?tenant=other' })
    const refused = nameOf(door) === TAKES_BYTES ? 415 : 400 // the type of what was sent is looked at before its query
    expect([nameOf(door), ...[overridden, twice, unknown].map(({ statusCode }) => statusCode)]).toEqual([
      nameOf(door),
      400,
      refused,
      refused,
    ])

    const { queries = [] } = operations.get(nameOf(door)) ?? {}
    for (const name of queries.filter(one => ['cursor', 'limit', 'from', 'to', 'stream'].includes(one)))
      expect([name, (await call(door, { query: `?${name}=1&${name}=2` })).statusCode]).toEqual([name, 400])
  }
  for (const door of doors)
    for (const method of ['TRACE', 'PROPFIND'])
      expect([nameOf(door), (await knock(service, { ...door, method }, {})).statusCode]).toEqual([nameOf(door), 405])
}, 60_000)

/** Days and moments that a format lets through, and not every calendar has. */
const ODD_DAYS = ['0000-01-01', '0001-02-29', '0999-12-31', '9999-12-31']
const ODD_MOMENTS = [
  ...ODD_DAYS.map(day => `${day}T00:00:00Z`),
  ...[
    '2016-12-31T23:59:60Z',
    '9999-12-31T23:59:60Z',
    '9999-12-31T23:59:59-23:59',
    '2026-11-20T03:42:00+01',
    '2026-11-20 03:42:00Z',
  ],
]

/** The same with each of its days and moments, one at a time, replaced by odd ones. */
const withOddDays = (value: unknown): unknown[] => {
  if (typeof value === 'string')
    return /^\d{4}-\d\d-\d\dT/.test(value) ? ODD_MOMENTS : /^\d{4}-\d\d-\d\d$/.test(value) ? ODD_DAYS : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    withOddDays(inner).map(odd => (Array.isArray(value) ? value.with(Number(name), odd) : { ...value, [name]: odd })),
  )
}

test('T30 no day and no moment that can be written is trouble of ours', async () => {
  const { body: opened } = await callers(service).person('u-anybody', 'anybody@example.org')('/v1/requests', {
    body: { type: 'access', subject: {} },
  })
  let odd = 0
  for (const door of doors)
    for (const body of bodiesFor(operations, door).flatMap(withOddDays)) {
      const { statusCode } = await call(door, { body: body as object, ids: { id: opened.id } })
      expect([nameOf(door), body, statusCode < 500]).toEqual([nameOf(door), body, true])
      odd += 1
    }
  expect(odd).toBeGreaterThan(50)
}, 60_000)

test('T30 whatever is sent to whatever operation, the answer is one it describes and tells nothing of our insides', async () => {
  const door = fc.constantFrom(...doors)
  const input = door.chain(at =>
    fc.record({
      door: fc.constant(at),
      body: fc.oneof(...bodiesFor(operations, at).map(body => (body === undefined ? fc.constant(undefined) : withOdd(body)))),
      id: fc.oneof(
        { weight: 3, arbitrary: fc.uuid() },
        { weight: 1, arbitrary: fc.string({ maxLength: 60 }).map(encodeURIComponent) },
      ),
      query: fc.oneof(
        { weight: 3, arbitrary: fc.constant('') },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.constantFrom('cursor', 'limit', 'state', 'stream', 'from', 'q'), fc.string())
            .map(([name, value]) => `?${name}=${encodeURIComponent(value)}`),
        },
      ),
      header: fc.string({ maxLength: 30 }).map(encodeURIComponent),
      named: fc.constantFrom('if-match', 'idempotency-key', 'range', 'accept-language', 'x-request-id', 'webhook-signature'),
    }),
  )
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(input, async ({ door: at, body, id, query, header, named }) => {
      const ids = Object.fromEntries([...at.url.matchAll(/:(\w+)/g)].map(([, name]) => [name, id]))
      const answer = await call(at, { body: body as object | undefined, ids, query, headers: { [named]: header } })
      seen.add(nameOf(at))
      expectPlain(operations, at, answer)
    }),
    { numRuns: 600, seed: 20_261_123 },
  )
  expect(seen.size).toBeGreaterThan(doors.length * 0.9)
}, 120_000)
