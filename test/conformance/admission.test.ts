import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Lms, startLms } from '../../src/demo/lms/lms.ts'
import { CHECK_PEOPLE } from '../../src/demo/lms/population.ts'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { letIn } from '../support/let-in.ts'
import { type Service, startService } from '../support/service.ts'

const SUBJECTS = CHECK_PEOPLE.map(({ userId, email }) => `user_id=${userId}&email=${email}`).join(',')
const POST = { method: 'POST' }

let database: TestDatabase
let lms: Lms
let service: Service
let as: ReturnType<typeof callers>
let operator: Call
let officer: Call
let at: string
let asked = 0

beforeAll(async () => {
  database = await createDatabase()
  lms = await startLms({ databaseUrl: database.url })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: new URL(analytics().url).host, CHECK_SUBJECTS: SUBJECTS } })
  as = callers(service)
  operator = as.agent(['operator'], 'olga')
  officer = as.agent(['privacy_officer'], 'petra')
})
afterAll(async () => {
  await service.close()
  await lms.close()
  await database.drop()
})
beforeEach(async () => {
  const { url: baseUrl, secret } = analytics()
  at = `/v1/adapters/${(await operator('/v1/adapters', { body: { baseUrl, secret } })).body.id}`
})
afterEach(() => service.sql(`UPDATE adapter SET state = 'removed'`))

const analytics = () => lms.adapters.find(({ name }) => name === 'analytics') ?? { url: '', secret: '' }

const refusal = ({ status, body }: Answered) => [status, body.code]
const stateNow = async () => (await operator(at)).body.state
const match = async () => ({ 'if-match': (await operator(at)).headers.get('etag') ?? '' })
const approve = async (by: Call) => by(`${at}/approval`, { ...POST, headers: await match() })
const check = (by: Call = operator) => by(`${at}/check`, POST)
const outcomes = ({ body }: Answered) => new Set(body.checks.map(({ outcome }: { outcome: string }) => outcome))

/** As if it had been checked: the first of the test people is erased by a real check, so there is one in this file that passes. */
const passed = () =>
  service.sql(
    `INSERT INTO adapter_check (adapter_id, n, contact_version, passed, report, checked_by, checked_at)
     SELECT id, 1, contact_version, true, '{"passed": true, "checks": []}', 'support_agent|olga', now() FROM adapter WHERE state <> 'removed'`,
  )

/** Somebody without anything there: what is asked about them is asked, and changes nothing. */
async function ask(): Promise<string> {
  const subject = { identities: [{ type: 'user_id', value: `u-${10_001 + asked++}` }] }
  const assurance = { method: 'portal_login', level: 2, verifiedAt: new Date().toISOString() }
  const { status, body } = await as.service()('/v1/requests', { body: { type: 'access', subject, assurance } })
  expect(status).toBe(201)
  return `/v1/requests/${body.id}`
}

describe('an adapter on trial', () => {
  test('is let in by a second person once it has passed, and only then', async () => {
    expect(await stateNow()).toBe('trial')
    expect(refusal(await approve(officer))).toEqual([409, 'illegal_transition'])
    expect(refusal(await operator(`${at}/check`))).toEqual([404, 'not_found'])

    const checked = await check()
    expect([checked.status, checked.body.passed, checked.body.current]).toEqual([200, true, true])
    expect(outcomes(checked)).toEqual(new Set(['passed', 'not_applicable']))
    expect((await officer(`${at}/check`)).body).toEqual(checked.body)
    expect(refusal(await approve(operator))).toEqual([403, 'second_person_needed'])
    expect(await stateNow()).toBe('trial')

    const approved = await approve(officer)
    expect([approved.status, approved.body.state]).toEqual([200, 'live'])
    expect(approved.body.liveSince).toMatch(/Z$/)
    expect(refusal(await approve(officer))).toEqual([409, 'illegal_transition'])
    const events = await service.sql<{ event: string }>(`SELECT event FROM audit_entry WHERE stream = 'adapters' ORDER BY seq`)
    expect(events.map(({ event }) => event)).toEqual(['adapter_registered', 'adapter_checked', 'adapter_approved'])
  })

  test('T47: is not let in by whoever registered it, be it in another role or with another token', async () => {
    await passed()
    for (const roles of [['operator'], ['privacy_officer'], ['dpo']] as const)
      expect(refusal(await approve(as.agent([...roles], 'olga')))).toEqual([403, 'second_person_needed'])
    for (const call of [as.service(), as.agent(['agent'], 'anna'), as.person('u-1', 'a@example.org')])
      expect((await approve(call)).status).toBe(403)
    expect(await stateNow()).toBe('trial')
  })

  test('is let in once by two at the same time', async () => {
    await passed()
    const headers = await match()
    const held = await holdingUntilReleased(service, 'LOCK TABLE adapter_check IN ACCESS EXCLUSIVE MODE')
    const both = ['petra', 'paul'].map(name => as.agent(['privacy_officer'], name)(`${at}/approval`, { ...POST, headers }))
    await held.waiting(2)
    await held.release()
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 412])
  })

  test('is asked nothing about anybody', async () => {
    const path = await ask()
    const requests = service.sql<{ state: string }>('SELECT state FROM dsar_request')
    expect((await requests).map(({ state }) => state)).not.toEqual([])
    expect((await officer(`${path}/tasks`)).body.tasks).toEqual([])
  })
})

describe('an adapter that was let in', () => {
  beforeEach(() => letIn(service))
  const change = async (body: object) => operator(at, { method: 'PATCH', body, headers: await match() })

  test.each([
    ['its secret', () => ({ secret: analytics().secret })],
    ['its address', () => ({ baseUrl: `${analytics().url}/` })],
  ])('T61: goes back to trial when %s changes, and its tasks wait', async (_, body) => {
    const answer = await change(body())
    expect([answer.status, answer.body.state]).toEqual([200, 'trial'])
    const path = await ask()
    const task = async () => (await officer(`${path}/tasks`)).body.tasks[0]
    for (let n = 0; n < 200 && !(await task()); n += 1) await new Promise(resolve => setTimeout(resolve, 25))
    expect(await task()).toMatchObject({ adapter: 'analytics', attempt: 0, problem: { code: 'adapter_on_trial' } })
    expect(refusal(await approve(officer))).toEqual([409, 'illegal_transition'])
  })

  test('stays live when its title or its owner changes, or its manifest is read anew', async () => {
    for (const body of [{ title: 'Statistics' }, { owner: 'stats@almastack.example' }, {}]) {
      const answer = await change(body)
      expect([answer.status, answer.body.state]).toEqual([200, 'live'])
    }
  })

  test('and changed while its traffic was stopped goes on on trial', async () => {
    await officer(`${at}/suspension`, POST)
    await change({ secret: `whsec_${randomBytes(24).toString('base64')}`, baseUrl: analytics().url })
    expect((await officer(`${at}/suspension`, { method: 'DELETE' })).body.state).toBe('trial')
  })

  test('is not checked while its traffic is stopped', async () => {
    await officer(`${at}/suspension`, POST)
    expect(refusal(await check())).toEqual([409, 'illegal_transition'])
  })
})

test('an adapter is not let in while its check had to leave something out for want of test people', async () => {
  const other = await startService({ env: { ADAPTER_ALLOWED_HOSTS: new URL(analytics().url).host }, working: false })
  try {
    const { url: baseUrl, secret } = analytics()
    const by = callers(other).agent(['operator'], 'olga')
    const path = `/v1/adapters/${(await by('/v1/adapters', { body: { baseUrl, secret } })).body.id}`
    const left = await by(`${path}/check`, POST)
    expect([left.body.passed, outcomes(left).has('skipped'), outcomes(left).has('failed')]).toEqual([false, true, false])
    const headers = { 'if-match': (await by(path)).headers.get('etag') ?? '' }
    const approval = await callers(other).agent(['privacy_officer'], 'petra')(`${path}/approval`, { ...POST, headers })
    expect(refusal(approval)).toEqual([409, 'illegal_transition'])
  } finally {
    await other.close()
  }
})
