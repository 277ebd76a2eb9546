import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers, until } from '../support/callers.ts'
import { knowing, type OnFile, openRegisters, type Registers, settled } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

const MINUTE = 60

let registers: Registers
let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let people: OnFile[] = []

beforeAll(async () => {
  registers = await openRegisters({ crm: identities => knowing(...people)(identities) })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers) } })
  as = callers(service)
  officer = as.agent(['agent', 'privacy_officer'])
  await registerAll(registers, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await registers.close()
})

/** Somebody new, who is on file. */
function newcomer(): OnFile {
  const one = { userId: `u-${people.length}`, email: `u-${people.length}@example.org` }
  people = [...people, one]
  return one
}
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds
const login = ({ userId, email }: OnFile, claims: Record<string, unknown> = {}) => as.person(userId, email, claims)
const atPortal = async (call: Call) =>
  `/v1/requests/${(await call('/v1/requests', { body: { type: 'access', subject: {} } })).body.id}`
const about = ({ email }: OnFile, more = {}) => ({
  type: 'access',
  subject: { identities: [{ type: 'email', value: email }] },
  ...more,
})
const openFor = async (call: Call, one: OnFile, more = {}) => {
  const { status, body } = await call('/v1/requests', { body: about(one, more) })
  expect(status).toBe(201)
  await settled(service)
  return `/v1/requests/${body.id}`
}
const prove = (call: Call, at: string, body: object) => call(`${at}/proofs`, { body })
const PORTAL = { method: 'portal_login' }
const vouching = (agoSeconds = 0, level = 2) => ({
  method: 'branch_visit',
  level,
  verifiedAt: new Date(Date.now() - agoSeconds * 1000).toISOString(),
})
const codesTo = ({ email }: OnFile) =>
  service.mailbox.messages().filter(({ envelope, subject }) => envelope.to.includes(email) && subject.includes('code'))
const answered = (at: string) =>
  until(
    () => officer(at),
    ({ body }) => body.state === 'completed',
  )

describe('a login at the portal', () => {
  test('that is fresh is proof enough: no code is sent', async () => {
    const one = newcomer()
    const at = await atPortal(login(one, { auth_time: secondsAgo(14 * MINUTE) }))
    expect((await answered(at)).body.assurance).toEqual({ needed: 1, reached: 2 })
    expect(codesTo(one)).toEqual([])
  })

  test.each([
    ['said by the method', { amr: ['pwd', 'otp'] }],
    ['said by the context', { acr: 'urn:example:aal2' }],
    ['said by a profile', { acr: 'https://refeds.org/profile/mfa' }],
  ])('with a second factor, %s, proves more', async (_, claims) => {
    const at = await atPortal(login(newcomer(), claims))
    expect((await officer(at)).body.assurance.reached).toBe(3)
  })

  test.each(['urn:example:no-mfa', 'nomfa', 'mfa-not-done', 'aal1', 'urn:mfa:none'])(
    'with the context %s proves no more',
    async acr => {
      const at = await atPortal(login(newcomer(), { acr }))
      expect((await officer(at)).body.assurance.reached).toBe(2)
    },
  )

  test('T01 to an account with the address of another’s proves nothing of that other account', async () => {
    const victim = newcomer()
    const at = await atPortal(as.person('u-thief', victim.email, { auth_time: secondsAgo(0), amr: ['otp'] }))
    await settled(service)
    expect((await officer(at)).body).toMatchObject({ state: 'verifying', flags: ['on_hold'] })
    expect(codesTo(victim)).toEqual([])
  })

  test.each([
    ['sixteen minutes old', { auth_time: secondsAgo(16 * MINUTE) }],
    ['in the future', { auth_time: secondsAgo(-2 * MINUTE) }],
    ['without a time', { auth_time: undefined }],
    ['with a time that is none', { auth_time: 'now' }],
  ])('%s proves nothing; another, or the code, does', async (_, claims) => {
    const one = newcomer()
    const stale = login(one, claims)
    const at = await atPortal(stale)
    await settled(service)
    expect((await officer(at)).body).toMatchObject({ state: 'verifying', assurance: { reached: 0 } })
    const refused = await prove(stale, at, PORTAL)
    expect([refused.status, refused.body.code]).toEqual([403, 'step_up_required'])
    expect(codesTo(one)).toHaveLength(1)
    expect((await prove(login(one), at, PORTAL)).body.assurance.reached).toBe(2)
    await answered(at)
  })

  test('of the person proves what somebody opened for them without a token, and lets them take it back', async () => {
    const [one, two] = [newcomer(), newcomer()]
    const [first, second] = [await openFor(as.anybody, one), await openFor(as.anybody, two)]
    expect((await prove(login(one), first, PORTAL)).status).toBe(200)
    expect((await login(two)(`${second}/withdrawal`, { method: 'POST' })).body.state).toBe('withdrawn')
  })

  test('of another proves nothing, and does not show that there is something', async () => {
    const [one, other] = [newcomer(), newcomer()]
    const at = await atPortal(login(one, { auth_time: secondsAgo(16 * MINUTE) }))
    const nowhere = await prove(login(other), `/v1/requests/${randomUUID()}`, PORTAL)
    const answer = await prove(login(other), at, PORTAL)
    expect([answer.status, answer.bytes.equals(nowhere.bytes)]).toEqual([404, true])
  })

  test('with an address that is not confirmed is proof of the person, and brings no mail there', async () => {
    const at = await atPortal(
      as.person('u-unknown', 'unconfirmed@example.org', { email_verified: 'true', auth_time: secondsAgo(16 * MINUTE) }),
    )
    await settled(service)
    expect((await officer(at)).body).toMatchObject({ flags: ['not_identified'], subject: { identities: [{ type: 'user_id' }] } })
    expect(codesTo({ userId: '', email: 'unconfirmed@example.org' })).toEqual([])
  })
})

describe('the word of a service', () => {
  test.each([0, 23 * 60 * MINUTE])('is proof when it verified the person %i seconds ago: no code is sent', async ago => {
    const one = newcomer()
    const at = await openFor(as.service(), one, { assurance: vouching(ago) })
    await answered(at)
    expect(codesTo(one)).toEqual([])
    const { entries } = (await officer(`${at}/timeline`)).body
    expect(entries.find(({ event }: { event: string }) => event === 'proof_accepted').facts).toEqual({
      method: 'service_assertion',
      assertedMethod: 'branch_visit',
      level: 2,
    })
  })

  test.each([
    ['more than a day old', vouching(24 * 60 * MINUTE + 5)],
    ['in the future', vouching(-2 * MINUTE)],
    ['of a second that no clock shows', { ...vouching(), verifiedAt: '2026-06-30T23:59:60Z' }],
  ])('is refused when %s, on opening as later', async (_, assurance) => {
    const one = newcomer()
    const opened = await as.service()('/v1/requests', { body: about(one, { assurance }) })
    const at = await openFor(as.service(), one)
    for (const answer of [opened, await prove(as.service(), at, { method: 'service_assertion', assurance })]) {
      expect([answer.status, answer.body.code]).toEqual([422, 'unprocessable'])
      expect(answer.body.errors[0].pointer).toBe('/assurance/verifiedAt')
    }
    expect((await officer(at)).body).toMatchObject({ state: 'verifying', assurance: { reached: 0 } })
  })

  test('can come later, also for whom nobody here knows', async () => {
    for (const one of [newcomer(), { userId: 'u-nobody', email: 'nobody@example.org' }]) {
      const at = await openFor(as.service(), one)
      expect((await prove(as.service(), at, { method: 'service_assertion', assurance: vouching() })).status).toBe(200)
      const { body } = await until(
        () => officer(at),
        answer => answer.body.state !== 'verifying',
      )
      expect(body.flags).not.toContain('not_identified')
    }
  })

  test('counts only for what it opened itself', async () => {
    const at = await openFor(as.service(), newcomer())
    const proof = { method: 'service_assertion', assurance: vouching() }
    const other = as.service({ client_id: 'shop' })
    const nowhere = await prove(other, `/v1/requests/${randomUUID()}`, proof)
    const answer = await prove(other, at, proof)
    expect([answer.status, answer.bytes.equals(nowhere.bytes)]).toEqual([404, true])
  })

  test.each([
    ['staff', () => officer, 403],
    ['the person', () => login(people[0] as OnFile), 404],
    ['somebody without a token', () => as.anybody, 404],
  ])('is not for %s to give', async (_, call, status) => {
    const at = await openFor(as.service(), newcomer())
    expect((await prove(call(), at, { method: 'service_assertion', assurance: vouching() })).status).toBe(status)
    expect((await officer(at)).body.assurance.reached).toBe(0)
  })
})

describe('staff', () => {
  test('can ask for somebody, but neither prove nor see what comes of it: the code goes to the person', async () => {
    const one = newcomer()
    const calls = registers.contentCalls()
    const agent = as.agent(['agent', 'privacy_officer', 'dpo', 'operator'])
    const at = await openFor(agent, one, { channel: 'telephone', reference: 'ZD-77' })
    expect((await officer(at)).body.state).toBe('verifying')
    expect([codesTo(one).length, registers.contentCalls() - calls]).toEqual([1, 0])
    for (const proof of [
      PORTAL,
      { method: 'email_code', code: '0000-0000' },
      { method: 'service_assertion', assurance: vouching() },
    ])
      expect((await prove(agent, at, proof)).status).toBe(403)
    expect((await service.sql('SELECT 1 FROM challenge WHERE request_id = $1 AND tries > 0', [at.split('/')[3]])).length).toBe(0)
  })
})
