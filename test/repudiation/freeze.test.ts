import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Call, callers, until } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { knowing, type OnFile, openRegisters, type Registers, settled, type WhoIs } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

const DAY = 86_400_000

let registers: Registers
let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let people = 0
let ana: OnFile
let whoIs: WhoIs = () => undefined

beforeAll(async () => {
  registers = await openRegisters({ crm: ids => whoIs(ids) })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers) } })
  as = callers(service)
  officer = as.agent(['agent', 'privacy_officer'])
  await registerAll(registers, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await registers.close()
})
beforeEach(async () => {
  await settled(service)
  service.mailbox.clear()
  people += 1
  ana = { userId: `u-ana-${people}`, email: `ana-${people}@example.org` }
  whoIs = knowing(ana)
})

const login = (claims: Record<string, unknown> = {}) => as.person(ana.userId, ana.email, claims)
const withSecondFactor = () => login({ amr: ['pwd', 'otp'] })
const ask = async (type: string, by: Call = login(), more: object = {}): Promise<string> => {
  const { status, body } = await by('/v1/requests', { body: { type, subject: {}, ...more } })
  expect(status).toBe(201)
  await settled(service)
  return `/v1/requests/${body.id}`
}
const INQUIRY = { details: { message: 'Why?' } }
const caseOf = async (at: string) => (await officer(at)).body
const see = (at: string, fits: (request: Record<string, unknown>) => boolean) =>
  until(
    () => officer(at),
    ({ body }) => fits(body),
  )
const events = async (at: string): Promise<string[]> =>
  (await officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)
/** Ana says that a question in her name was not hers. */
async function repudiated(): Promise<void> {
  const at = await ask('inquiry', login(), INQUIRY)
  expect((await login()(`${at}/repudiation`, { method: 'POST' })).body).toEqual({ effect: 'stopped' })
  await settled(service)
}
const prove = (at: string, by: Call) => by(`${at}/proofs`, { body: { method: 'portal_login' } })

describe('after somebody said that a request was not theirs', () => {
  test('A2 what could harm them most waits for a second factor, and goes on at once with one', async () => {
    await repudiated()
    const at = await ask('access')
    expect(await caseOf(at)).toMatchObject({ state: 'verifying', flags: ['frozen'], assurance: { needed: 3, reached: 2 } })
    expect(service.mailbox.messages().find(({ subject }) => /One more step/.test(subject))?.text).toContain('second factor')
    expect((await prove(at, withSecondFactor())).status).toBe(200)
    await see(at, ({ state }) => state === 'completed')
    expect(await events(at)).toContain('frozen')
  })

  test('other rights of theirs are untouched, and so is everybody else', async () => {
    await repudiated()
    expect(await caseOf(await ask('inquiry', login(), INQUIRY))).toMatchObject({ state: 'assessing', assurance: { needed: 1 } })
    ana = { userId: 'u-ben', email: 'ben@example.org' }
    whoIs = knowing(ana)
    const at = await ask('access')
    await see(at, ({ state }) => state === 'completed')
  })

  test('who is merely named is not frozen by it', async () => {
    const victim = ana
    const eve = { userId: `u-eve-${people}`, email: `eve-${people}@example.org` }
    whoIs = ids => knowing(eve)(ids)
    const by = as.person(eve.userId, eve.email)
    const { body } = await as.service()('/v1/requests', {
      body: {
        type: 'inquiry',
        ...INQUIRY,
        channel: 'crm',
        subject: {
          identities: [
            { type: 'email', value: eve.email },
            { type: 'user_id', value: victim.userId },
          ],
        },
      },
    })
    await settled(service)
    expect((await by(`/v1/requests/${body.id}/repudiation`, { method: 'POST' })).status).toBe(200)
    whoIs = knowing(victim)
    const at = await ask('access')
    await see(at, ({ state }) => state === 'completed')
  })

  test('what is open already waits as well: nothing is erased when cooling off is over, before the second factor', async () => {
    const at = await ask('erasure', login(), { details: { ground: '17_1_b' } })
    await see(at, ({ state }) => state === 'cooling_off')
    await repudiated()
    expect(await caseOf(at)).toMatchObject({ state: 'cooling_off', flags: ['frozen'], assurance: { needed: 3, reached: 2 } })
    service.clock.advanceAlone(4 * DAY)
    await service.app.handlers['end-cooling-off']({})
    await settled(service)
    expect(await caseOf(at)).toMatchObject({ state: 'cooling_off' })
    expect((await prove(at, withSecondFactor())).status).toBe(200)
    await see(at, ({ state }) => state !== 'cooling_off')
  })

  test('it is over after a week: what waited goes on with what was shown, and nothing of it is kept', async () => {
    await repudiated()
    const at = await ask('access')
    service.clock.advanceAlone(7 * DAY + 1000)
    await service.app.handlers['forget-expired']({})
    await see(at, ({ state }) => state === 'completed')
    expect(await caseOf(at)).toMatchObject({ assurance: { needed: 1, reached: 2 } })
    expect(await events(at)).toContain('thawed')
    expect(await service.sql('SELECT 1 FROM person_freeze')).toEqual([])
  })
})

describe('that it was repudiated', () => {
  const said = async (): Promise<string> => {
    const at = await ask('inquiry', login(), INQUIRY)
    await login()(`${at}/repudiation`, { method: 'POST' })
    await settled(service)
    expect((await caseOf(at)).flags).toEqual(['repudiated'])
    return at
  }

  test('needs eyes until the freeze is over', async () => {
    const at = await said()
    await service.app.handlers['forget-expired']({})
    expect((await caseOf(at)).flags).toEqual(['repudiated'])
    service.clock.advanceAlone(7 * DAY + 1000)
    await service.app.handlers['forget-expired']({})
    service.clock.advanceAlone(-7 * DAY - 1000)
    expect((await caseOf(at)).flags).toEqual([])
  })

  test('or until an officer, who is not its person, has looked into it; the freeze goes on', async () => {
    const at = await said()
    const review = (by: Call, headers: Record<string, string> = { 'if-match': '*' }) =>
      by(`${at}/repudiation/review`, { body: { finding: 'somebody_else' }, headers })
    expect((await review(as.agent(['agent']))).status).toBe(403)
    expect((await review(as.agent(['dpo'], ana.userId))).status).toBe(404)
    expect((await review(officer, {})).body.code).toBe('precondition_required')
    expect((await review(officer)).body.flags).not.toContain('repudiated')
    expect((await review(officer)).body.code).toBe('illegal_transition')
    expect(await events(at)).toContain('repudiation_reviewed')
    expect((await caseOf(await ask('access'))).flags).toContain('frozen')
  })
})

describe('a repudiation against a hand-over', () => {
  test('T18 that comes second: whatever was mailed by then opens nothing', async () => {
    const held = await holdingUntilReleased(service, 'LOCK TABLE link IN EXCLUSIVE MODE')
    const { body } = await login()('/v1/requests', { body: { type: 'access', subject: {} } })
    const at = `/v1/requests/${body.id}`
    await see(at, ({ state }) => state === 'delivering')
    await held.waiting(1) // the hand-over has the request and makes the link
    const saying = login()(`${at}/repudiation`, { method: 'POST' })
    await held.waiting(2)
    await held.release()
    expect((await saying).status).toBe(200)
    await settled(service)
    const live = 'SELECT 1 FROM link WHERE request_id = $1 AND revoked_at IS NULL'
    expect(await service.sql(live, [body.id])).toEqual([])
    expect(await service.sql('SELECT 1 FROM request_key WHERE request_id = $1', [body.id])).toEqual([])
    const { state } = await caseOf(at)
    expect([state, (await saying).body.effect]).toEqual(state === 'cancelled' ? [state, 'stopped'] : ['completed', 'handed_over'])
  })

  test('T18 that comes first: nothing is handed over any more, whoever proves what', async () => {
    await repudiated()
    const at = await ask('access')
    const held = await holdingUntilReleased(service, 'LOCK TABLE person_freeze IN EXCLUSIVE MODE')
    const saying = login()(`${at}/repudiation`, { method: 'POST' })
    await held.waiting(1)
    const proving = prove(at, withSecondFactor())
    await held.waiting(2)
    await held.release()
    expect([(await saying).body, (await proving).status]).toEqual([{ effect: 'stopped' }, 409])
    await settled(service)
    expect(await caseOf(at)).toMatchObject({ state: 'cancelled' })
    expect(await service.sql('SELECT 1 FROM sealed_package WHERE request_id = $1', [at.split('/').at(-1)])).toEqual([])
  })
})
