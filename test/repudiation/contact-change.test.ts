import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Mail } from '../../src/demo/mail.ts'
import { type Call, callers, until } from '../support/callers.ts'
import { codeIn, linkIn } from '../support/letters.ts'
import { notYouIn } from '../support/not-you.ts'
import { knowing, matchOf, type OnFile, openRegisters, type Registers, settled, type WhoIs } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

const HOUR = 3_600_000

let registers: Registers
let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let people = 0
let ana: OnFile
let eve: string
let whoIs: WhoIs = () => undefined

beforeAll(async () => {
  registers = await openRegisters({ crm: ids => whoIs(ids) })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers) } })
  as = callers(service)
  officer = as.agent(['agent', 'privacy_officer', 'operator'])
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
  eve = `eve-${people}@evil.example.org`
  whoIs = knowing(ana)
})

const mails = (address: string, subject: RegExp): Mail[] =>
  service.mailbox.messages().filter(mail => mail.envelope.to.includes(address) && subject.test(mail.subject))
const recipients = () => new Set(service.mailbox.messages().flatMap(({ envelope }) => envelope.to))
const caseOf = async (at: string) => (await officer(at)).body
const eventsOf = async (at: string): Promise<{ event: string; facts: object }[]> => (await officer(`${at}/timeline`)).body.entries
const changesOf = async (at: string) =>
  (await eventsOf(at)).filter(({ event }) => event === 'contact_changed').map(({ facts }) => facts)
const see = (at: string, fits: (request: Record<string, unknown>) => boolean) =>
  until(
    () => officer(at),
    ({ body }) => fits(body),
  )
const prove = async (at: string) =>
  as.anybody(`${at}/proofs`, {
    body: { method: 'email_code', code: codeIn(mails(ana.email, /confirmation code/).at(-1) as Mail) },
  })

/** The main address is another by now, old enough to look settled. */
const replaced: WhoIs = ids => matchOf({ ...ana, email: eve, since: '2010-01-01T00:00:00Z' }, ids)

/** Ana's copy, proven, and two hours later collected: by then the register may say something else. */
async function collectedLate(says: WhoIs): Promise<string> {
  const adapter = (await officer('/v1/adapters')).body.adapters[0].id
  const { body } = await as.anybody('/v1/requests', {
    body: { type: 'access', subject: { identities: [{ type: 'email', value: ana.email }] } },
  })
  const at = `/v1/requests/${body.id}`
  await settled(service)
  await officer(`/v1/adapters/${adapter}/suspension`, { method: 'POST' })
  expect((await prove(at)).status).toBe(200)
  await see(at, ({ state }) => state === 'fulfilling')
  service.clock.advanceAlone(2 * HOUR)
  whoIs = says
  await officer(`/v1/adapters/${adapter}/suspension`, { method: 'DELETE' })
  return at
}

describe('an address that is changed while a request is under way', () => {
  test('T02 A3 before a package is handed over: it waits, the frozen address is told, and a new code from there has it go on, to there', async () => {
    const asked = registers.resolveCalls()
    const at = await collectedLate(replaced)
    await see(at, ({ flags }) => (flags as string[]).includes('contact_changed'))
    await settled(service)
    expect(registers.resolveCalls() - asked).toBe(2)
    expect(await caseOf(at)).toMatchObject({ state: 'delivering', assurance: { needed: 1, reached: 0 } })
    expect(await changesOf(at)).toEqual([{ finding: 'address_removed' }])
    expect(mails(ana.email, /confirm your request once more/)).toHaveLength(1)
    expect(mails(ana.email, /has been answered/)).toEqual([])
    expect((await officer(`${at}/package/links`, { method: 'POST' })).status).toBe(409)
    expect((await as.anybody(`${at}/challenges`, { method: 'POST' })).status).toBe(202)
    await settled(service)

    expect((await prove(at)).status).toBe(200)
    await see(at, ({ state }) => state === 'completed')
    expect(await caseOf(at)).toMatchObject({ flags: [], assurance: { needed: 1, reached: 1 } })
    expect((await as.anybody(linkIn(mails(ana.email, /has been answered/)[0] as Mail))).status).toBe(200)
    expect(recipients()).toEqual(new Set([ana.email]))
    const record = JSON.stringify([await eventsOf(at), service.logs])
    for (const address of [ana.email, eve]) expect(record).not.toContain(address)
  })

  test('T02 can be repudiated by the letter that tells of it', async () => {
    const at = await collectedLate(replaced)
    await see(at, ({ flags }) => (flags as string[]).includes('contact_changed'))
    await settled(service)
    const { path, code } = notYouIn(mails(ana.email, /confirm your request once more/)[0] as Mail)
    expect((await as.anybody(path, { body: { code } })).body).toEqual({ effect: 'stopped' })
    expect(await caseOf(at)).toMatchObject({ state: 'cancelled' })
  })

  test('and nothing is held up where nothing has changed', async () => {
    const at = await collectedLate(knowing(ana))
    await see(at, ({ state }) => state === 'completed')
    expect(await changesOf(at)).toEqual([])
  })
})

describe('an address that is changed while an erasure cools off', () => {
  test('T02 A3 keeps it from beginning: a login from before shows nothing any more, a new one does', async () => {
    const before = { auth_time: Math.floor(service.clock.real().getTime() / 1000) - 60 }
    const old = as.person(ana.userId, ana.email, before)
    const { body } = await old('/v1/requests', { body: { type: 'erasure', subject: {}, details: { ground: '17_1_b' } } })
    const at = `/v1/requests/${body.id}`
    await see(at, ({ state }) => state === 'cooling_off')
    await settled(service)
    whoIs = replaced
    service.clock.advanceAlone(73 * HOUR)
    await service.app.handlers['end-cooling-off']({})
    await settled(service)
    expect(await caseOf(at)).toMatchObject({
      state: 'cooling_off',
      flags: ['contact_changed'],
      assurance: { needed: 2, reached: 0 },
    })
    const stale = await old(`${at}/proofs`, { body: { method: 'portal_login' } })
    expect([stale.status, stale.body.code]).toEqual([403, 'step_up_required'])
    await service.app.handlers['end-cooling-off']({})
    await settled(service)
    expect((await caseOf(at)).state).toBe('cooling_off')

    const anew = as.person(ana.userId, ana.email, { auth_time: Math.ceil(service.clock.real().getTime() / 1000) + 1 })
    expect((await anew(`${at}/proofs`, { body: { method: 'portal_login' } })).status).toBe(200)
    await see(at, ({ state }) => state !== 'cooling_off')
  })

  test('and so does a register that holds the person back by now, until people have looked', async () => {
    const { body } = await as.person(ana.userId, ana.email)('/v1/requests', {
      body: { type: 'erasure', subject: {}, details: { ground: '17_1_b' } },
    })
    const at = `/v1/requests/${body.id}`
    await see(at, ({ state }) => state === 'cooling_off')
    await settled(service)
    whoIs = ids => ({ ...matchOf(ana, ids), status: 'hold' })
    service.clock.advanceAlone(73 * HOUR)
    for (const _ of [1, 2]) {
      await service.app.handlers['end-cooling-off']({})
      await settled(service)
    }
    expect(await caseOf(at)).toMatchObject({ state: 'cooling_off', flags: ['quarantined'] })
  })
})

describe('a request that runs through at once', () => {
  test('asks those who know people once', async () => {
    const asked = registers.resolveCalls()
    const { body } = await as.person(ana.userId, ana.email)('/v1/requests', { body: { type: 'access', subject: {} } })
    await see(`/v1/requests/${body.id}`, ({ state }) => state === 'completed')
    expect(registers.resolveCalls() - asked).toBe(1)
  })
})
