import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answered, type Call, callers, until } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

const FACTS = ['last_invoice_amount', 'course_enrolled', 'registration_month']
const LOST: Person[] = Array.from({ length: 8 }, (_, n) => ({
  userId: `u-lost-${n}`,
  email: `lost-${n}@example.org`,
  name: 'Lost',
}))

let house: House
let service: Service
let as: ReturnType<typeof callers>
const agent = (n: number | string, roles = ['agent']): Call => as.agent(roles, `agent-${n}`)

beforeAll(async () => {
  house = await openHouse({}, LOST)
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  as = callers(service)
  await registerAll(house, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})

const seen = (at: string, fits: (request: Answered['body']) => boolean) =>
  until(
    () => as.agent(['dpo'], 'watcher')(at),
    ({ body }) => fits(body),
  )
/** Somebody lost their login; an agent opened the request for them, who has typed no code. */
async function openFor(value: string, by = agent('opener')): Promise<string> {
  const { status, body } = await by('/v1/requests', {
    body: {
      type: 'erasure',
      subject: { identities: [{ type: 'email', value }] },
      channel: 'phone',
      reference: `T-${value}`,
    },
  })
  expect(status).toBe(201)
  return `/v1/requests/${body.id}`
}
const lost = async (n: number, by?: Call) => {
  const at = await openFor(LOST[n]?.email ?? '', by)
  await seen(at, ({ subject }) => subject.identities.length === 2)
  return at
}
const check = (by: Call, at: string, body: object = { facts: FACTS }) => by(`${at}/support-checks`, { body })
const settle = (by: Call, at: string, n = 1, part = 'approval') => by(`${at}/support-checks/${n}/${part}`, { method: 'POST' })
const levelOf = async (at: string) => (await agent(1)(at)).body.assurance.reached

describe('A5: a support check', () => {
  test('takes two agents, and is worth as much as a login with a second factor', async () => {
    const at = await lost(0)
    const first = await check(agent(1), at, { facts: FACTS, documentSeen: 'passport' })
    expect([first.status, first.body]).toEqual([
      201,
      {
        ...{ n: 1, state: 'proposed', facts: FACTS, documentSeen: 'passport', checkedBy: expect.stringMatching(/agent-1$/) },
        ...{ checkedAt: expect.any(String), secondBy: null, secondAt: null },
      },
    ])
    expect(await levelOf(at)).toBe(0)
    const second = await settle(agent(2), at)
    expect([second.status, second.body.state, second.body.secondBy]).toEqual([200, 'agreed', expect.stringMatching(/agent-2$/)])
    const { body } = await seen(at, ({ state }) => state === 'cooling_off')
    expect(body.assurance).toEqual({ needed: 2, reached: 3 })
    const { entries } = (await agent(1)(`${at}/timeline`)).body
    const proof = entries.find(({ event }: { event: string }) => event === 'proof_accepted')
    expect([proof.facts, proof.by.id]).toEqual([{ method: 'support_check', level: 3, check: '1' }, second.body.secondBy])
    expect((await agent(3)(`${at}/support-checks`)).body.checks).toEqual([second.body])
  })

  test('T47 is not made by one person, whatever token or role they come with, nor by who opened the request', async () => {
    const at = await lost(1, agent(5))
    expect((await check(agent(4), at)).status).toBe(201)
    for (const same of [agent(4), agent(4), agent(4, ['privacy_officer', 'dpo'])]) {
      const refused = await settle(same, at)
      expect([refused.status, refused.body.code]).toEqual([403, 'second_person_needed'])
    }
    expect((await settle(agent(5), at)).body.code).toBe('second_person_needed')
    expect(await levelOf(at)).toBe(0)
    expect((await settle(agent(6), at)).status).toBe(200)
  })

  test('can begin with who opened the request: that makes one of two', async () => {
    const at = await lost(2, agent(5))
    expect((await check(agent(5), at)).status).toBe(201)
    expect((await settle(agent(5), at)).status).toBe(403)
    expect((await settle(agent(6), at)).status).toBe(200)
  })

  test('is over when the second does not agree, or comes too late', async () => {
    const at = await lost(3)
    await check(agent(1), at)
    expect((await settle(agent(1), at, 1, 'rejection')).status).toBe(403)
    expect((await settle(agent(2), at, 1, 'rejection')).body.state).toBe('rejected')
    expect((await settle(agent(3), at)).status).toBe(409)
    await check(agent(1), at)
    service.clock.advanceAlone(25 * 3_600_000)
    expect((await settle(agent(2), at, 2)).status).toBe(409)
    await check(agent(1), at)
    expect((await settle(agent(2), at, 2)).body.detail).toContain('rejected') // the one after it took its place
    expect((await settle(agent(2), at, 3)).status).toBe(200)
    expect((await settle(agent(3), at, 3)).status).toBe(409)
  })

  test('rests on what the policy asks about, on enough of it, and never on a document alone', async () => {
    const at = await lost(4)
    const faults: [object, number, string][] = [
      [{ facts: ['favourite_colour', ...FACTS] }, 422, '/facts/0'],
      [{ facts: FACTS.slice(1) }, 422, '/facts'],
      [{ facts: FACTS.slice(1), documentSeen: 'passport' }, 422, '/facts'],
      [{ facts: [], documentSeen: 'passport' }, 400, '/facts'],
      [{ facts: [FACTS[0], FACTS[0], FACTS[1]] }, 400, '/facts'],
      [{ facts: FACTS, documentNumber: 'C01X00T47' }, 400, ''],
      [{ facts: FACTS, answers: { course_enrolled: 'Statistics' } }, 400, ''],
    ]
    for (const [body, status, pointer] of faults) {
      const answer = await check(agent(1), at, body)
      expect([body, answer.status, answer.body.errors?.[0]?.pointer ?? '']).toEqual([
        body,
        status,
        expect.stringContaining(pointer),
      ])
    }
    expect((await agent(1)(`${at}/support-checks`)).body.checks).toEqual([])
  })

  test('identifies nobody whom the registers do not know', async () => {
    const at = await openFor('stranger@example.org')
    await seen(at, ({ flags }) => flags.includes('not_identified'))
    await check(agent(1), at)
    expect((await settle(agent(2), at)).status).toBe(200)
    await seen(at, ({ assurance }) => assurance.reached === 3)
    await until(
      () => agent(1)(`${at}/timeline`),
      () => true,
    )
    const { body } = await agent(1)(at)
    expect([body.state, body.flags]).toEqual(['verifying', ['not_identified']])
  })

  test('is not for people, services or operators, and nobody makes one about themself', async () => {
    const at = await lost(5)
    for (const other of [as.person(LOST[5]?.userId ?? '', 'x@example.org'), as.service(), as.agent(['operator'], 'op')])
      expect((await check(other, at)).status).toBe(403)
    expect((await check(as.agent(['agent'], LOST[5]?.userId), at)).status).toBe(404)
  })
})

describe('who acts for somebody', () => {
  test('T45 needs the evidence that they asked; the person is written to and nobody is asked for their data before they answer', async () => {
    const bare = { type: 'access', subject: { identities: [{ type: 'email', value: LOST[6]?.email }] } }
    for (const less of [bare, { ...bare, channel: 'phone' }, { ...bare, reference: 'T-6' }])
      expect((await agent(1)('/v1/requests', { body: less })).status).toBe(422)
    const opened = await agent(1)('/v1/requests', { body: { ...bare, channel: 'phone', reference: 'T-6' } })
    expect(opened.status).toBe(201)
    const at = `/v1/requests/${opened.body.id}`
    const mail = await service.mailbox.waitFor(({ envelope }) => envelope.to.includes(LOST[6]?.email ?? ''), 10_000)
    expect(mail.text).toContain(opened.body.id)
    expect((await agent(1)(at)).body.state).toBe('verifying')
    const { tasks } = (await agent(1)(`${at}/tasks`)).body
    expect(tasks.map(({ action }: { action: string }) => action)).toEqual(['resolve']) // who is it, and nothing of theirs
  })

  test('T46 cannot prove it for them: no proof of any kind is taken from staff', async () => {
    const at = await lost(7)
    const proofs = [
      { method: 'email_code', code: '0000-0000' },
      { method: 'portal_login' },
      { method: 'service_assertion', assurance: { method: 'phone', level: 3, verifiedAt: new Date().toISOString() } },
      { method: 'support_check' },
    ]
    for (const roles of [['agent'], ['privacy_officer', 'dpo', 'operator', 'agent']])
      for (const body of proofs) {
        const refused = await agent(1, roles)(`${at}/proofs`, { body })
        expect([refused.status, refused.body.code]).toEqual([403, 'not_allowed'])
      }
    expect(await levelOf(at)).toBe(0)
  })

  test('T48 gets no copy, by whatever way it is asked for, and who tried is counted', async () => {
    const turnedAway = async () => {
      const metrics = (await as.anybody('/metrics')).bytes.toString()
      return [...metrics.matchAll(/^auth_calls_turned_away_total\{kind="support_agent",route="\/v1\/downloads[^\n]* (\d+)$/gm)]
        .map(([, count]) => Number(count))
        .reduce((sum, count) => sum + count, 0)
    }
    const before = await turnedAway()
    const token = 'x'.repeat(43)
    for (const roles of [['agent'], ['privacy_officer', 'dpo', 'operator', 'agent']]) {
      expect((await agent(1, roles)(`/v1/downloads/${token}`)).status).toBe(403)
      expect((await agent(1, roles)(`/v1/downloads/${token}`, { body: { step: 'open' } })).status).toBe(403)
      expect((await agent(1, roles)(`/v1/downloads/content/${token}`)).status).toBe(403)
    }
    expect((await turnedAway()) - before).toBe(6)
  })
})
