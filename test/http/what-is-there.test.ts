import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { RIGHTS } from '../../src/domain/rights.ts'
import type { DeclaredRoute } from '../../src/http/declared-routes.ts'
import { callers } from '../support/callers.ts'
import { doorsOf, knock, nameOf } from '../support/doors.ts'
import { expectPlain, withOdd } from '../support/odd-input.ts'
import { bodiesFor, type Operation, operationsOf } from '../support/operations.ts'
import { type Service, startService } from '../support/service.ts'
import { type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

const PEOPLE: Person[] = Array.from({ length: 8 }, (_, n) => ({
  userId: `u-${n}`,
  email: `person${n}@example.org`,
  name: `Person ${n}`,
}))

let house: House
let service: Service
let doors: DeclaredRoute[]
let operations: Map<string, Operation>

beforeAll(async () => {
  house = await openHouse({}, PEOPLE)
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house), RATE_PER_CALLER: '1000000' } })
  await registerAll(house, callers(service).agent(['operator']), service)
  operations = operationsOf(service)
  doors = doorsOf(service).filter(door => !SENDS_THE_ADAPTERS_AWAY.test(nameOf(door)))
})
afterAll(async () => {
  await service.close()
  await house.close()
})

const SENDS_THE_ADAPTERS_AWAY = /^(DELETE|PATCH) \/v1\/adapters|suspension/

const DETAILS: Record<string, object> = {
  rectification: { corrections: [{ dataset: 'account', field: 'name', from: 'Somebody', to: 'Another' }] },
  objection: { purposes: ['analytics', 'marketing'], reasons: 'R' },
  consent_withdrawal: { purposes: ['marketing'] },
  automated_decision_review: { decision: 'the grade' },
  inquiry: { message: 'Why?' },
}

/** A request of each kind, by one person after the other. */
async function openAll(): Promise<void> {
  for (const [n, type] of Object.keys(RIGHTS).entries()) {
    const { userId, email } = PEOPLE[n % PEOPLE.length] as Person
    const report = { subject: { identities: [{ type: 'user_id', value: userId }] }, requester: { relationship: 'reporter' } }
    const about = type === 'under_age_report' ? report : { subject: {}, details: DETAILS[type] }
    await callers(service).person(userId, email)('/v1/requests', { body: { type, ...about } })
  }
}

/** In which table that is what an address names, at its beginning or below a request. */
const AT_THE_BEGINNING: Record<string, string> = {
  requests: 'dsar_request',
  adapters: 'adapter',
  holds: 'legal_hold',
  vips: 'vip',
  restores: 'restore',
  forwardings: 'forwarding',
}
const BELOW = { task: 'task', decision: 'decision', letter: 'letter', mandate: 'mandate', pause: 'clock_entry' }

/** What can be put for the parameters of an address so that it leads somewhere, as far as there is anything. */
async function idsIn(url: string): Promise<Record<string, string>> {
  const anyOf = async (table: string, where = 'true', values: unknown[] = []): Promise<string | undefined> => {
    const rows = await service.sql<{ id: string }>(`SELECT id FROM ${table} WHERE ${where} ORDER BY random() LIMIT 1`, values)
    return rows[0]?.id
  }
  const table = AT_THE_BEGINNING[url.split('/')[2] ?? '']
  const id = table && (await anyOf(table))
  const ids: Record<string, string> = { ...(id && { id }), n: '1' }
  for (const [name, below] of Object.entries(BELOW)) {
    const found = url.includes(`:${name}`) && id ? await anyOf(below, 'request_id = $1', [id]) : undefined
    if (found) ids[name] = found
  }
  return ids
}

/** One of those who are let in at a door, of whom there are several of each kind. */
function tokenOf({ allow }: DeclaredRoute, n: number): string | undefined {
  const { userId, email } = PEOPLE[n % PEOPLE.length] as Person
  const tokens = [
    ...(allow.support_agent
      ? [service.issuer.mint('support_agent', { sub: `staff-${n % 3}`, roles: [...allow.support_agent] })]
      : []),
    ...(allow.service ? [service.issuer.mint('service', { sub: 'crm', client_id: 'crm', scope: allow.service })] : []),
    ...(allow.portal
      ? [service.issuer.mint('portal', { sub: userId, email, email_verified: true, auth_time: Math.floor(Date.now() / 1000) })]
      : []),
  ]
  return tokens[n % tokens.length]
}

/** The same, about one of our people. */
const about = (body: unknown, { userId }: Person): object | undefined =>
  body === undefined
    ? undefined
    : JSON.parse(JSON.stringify(body), (name, value) =>
        name === 'identities' && Array.isArray(value) ? [{ type: 'user_id', value: userId }] : value,
      )

test('T30 whatever is sent about what is there, it is no trouble of ours, and no job comes to grief over what it led to', async () => {
  const input = fc.constantFrom(...doors).chain(door => {
    const bodies = bodiesFor(operations, door).flatMap(body => [fc.constant(body), ...(body ? [withOdd(body)] : [])])
    return fc.record({ door: fc.constant(door), body: fc.oneof(...bodies), n: fc.nat(1000) })
  })
  const done = new Set<string>()
  let calls = 0
  await fc.assert(
    fc.asyncProperty(input, async ({ door, body, n }) => {
      if (calls % 200 === 0) await openAll()
      if (calls % 50 === 0) await service.sql('TRUNCATE rate_limit, viewing_budget')
      calls += 1
      const token = tokenOf(door, n)
      const answer = await knock(service, door, {
        ...(token && { token }),
        body: about(body, PEOPLE[n % PEOPLE.length] as Person),
        ids: await idsIn(door.url),
        headers: { 'if-match': '*' },
      })
      expectPlain(operations, door, answer)
      if (answer.statusCode < 300) done.add(nameOf(door))
    }),
    { numRuns: 500 },
  )
  expect(done.size).toBeGreaterThan(35) // so many were not turned away
  expect(await service.sql(`SELECT "right", state FROM dsar_request WHERE 'failed_job' = ANY (flags)`)).toEqual([])
  expect(service.logs.filter(line => JSON.parse(line).level === 'error')).toEqual([])
}, 60_000)
