import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { dayIn } from '../../src/domain/day.ts'
import { answeredRequest } from '../support/answered-request.ts'
import { type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

const UNIVERSITY = 'University of Colombo'
const DPO = 'dpo@university.example'
const DAY_MS = 86_400_000

let house: House
let service: Service
let as: ReturnType<typeof callers>
let at: string
let forwarding: string

// Tokens anew for each call: the clock moves.
const officer = (): Call => as.agent(['privacy_officer'])
const university = (): Call => as.service({ sub: 'university', client_id: 'university', scope: 'forwardings:read' })
const pass = async (days: number) => {
  service.clock.advanceAlone(days * DAY_MS)
  await service.app.handlers['chase-forwardings']({})
}
const seen = async () => (await officer()(`${at}/forwardings`)).body.forwardings[0]
const raised = async () => (await seen()).alarms.map(({ alarm }: { alarm: string }) => alarm)
const flags = async () => (await officer()(at)).body.flags
const written = () =>
  service.sql(`SELECT kind, count(*)::int AS count FROM letter WHERE kind LIKE 'forwarding-%' GROUP BY kind ORDER BY kind`)
const chased = async () =>
  (await officer()(`${at}/timeline`)).body.entries
    .filter(({ event }: { event: string }) => event === 'forwarding_chased')
    .map(({ facts }: { facts: { alarm: string } }) => facts.alarm)
const say = async (what: string) => (await university()(`/v1/forwardings/${forwarding}/${what}`, { method: 'POST' })).body

/** A part of this person's request has just been forwarded, and nothing was said about it. */
async function forwardedFor(person: Person): Promise<void> {
  const answered = await answeredRequest(service, person)
  at = answered.at
  forwarding = (await seen()).id
}

beforeAll(async () => {
  house = await openHouse()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  const { config, issuer } = service
  config.policy.controllers.push({
    name: UNIVERSITY,
    contact: 'mailto:privacy@university.example',
    email: DPO,
    client: `${issuer.issuers.find(({ kind }) => kind === 'service')?.issuer}|university`,
    adapter: 'library',
    datasets: ['notes'],
  })
  as = callers(service)
  await registerAll(house, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})

describe('another controller that says nothing', () => {
  beforeAll(() => forwardedFor(ANA))

  test('is left alone for a week', async () => {
    await pass(6.9)
    expect([await raised(), await flags(), await written()]).toEqual([[], [], []])
  })

  test('is reminded after a week, once, however often and by however many it is looked', async () => {
    service.clock.advanceAlone(0.2 * DAY_MS)
    await Promise.all([1, 2, 3].map(() => service.app.handlers['chase-forwardings']({})))
    await pass(1)
    expect(await raised()).toEqual(['unacknowledged'])
    expect(await chased()).toEqual(['unacknowledged'])
    expect(await written()).toEqual([
      { kind: 'forwarding-alarm', count: 1 },
      { kind: 'forwarding-reminder', count: 1 },
    ])
    const mail = await service.mailbox.waitFor(
      ({ envelope, subject }) => envelope.to[0] === DPO && /still waits/.test(subject),
      5000,
    )
    expect(mail.text).toContain(forwarding)
    expect([mail.subject, mail.text, mail.html].join()).not.toMatch(/Perera|ana@|u-ana/i)
  })

  test('shows on the request, which was answered, until it says that it arrived', async () => {
    expect(await flags()).toEqual(['forwarding_unanswered'])
    expect((await as.person(ANA.userId, ANA.email)(at)).body.flags).toEqual([])
    expect((await say('acknowledgment')).acknowledgedAt).toEqual(expect.any(String))
    expect(await flags()).toEqual([])
  })

  test('is late once its own month is over without a word of an answer, and the officer is told that, once', async () => {
    const { dueOn } = await seen()
    while (dayIn(service.clock.now(), service.config.timeZone) < dueOn) await pass(1)
    expect(await raised()).toEqual(['unacknowledged'])
    await pass(2)
    await pass(1)
    expect(await raised()).toEqual(['unacknowledged', 'late'])
    expect(await chased()).toEqual(['unacknowledged', 'late'])
    expect(await flags()).toEqual(['forwarding_unanswered'])
    expect(await written()).toMatchObject([{ count: 2 }, { count: 2 }])
    const toOfficer = ({ subject, text }: { subject: string; text: string }) =>
      /says nothing/.test(subject) && text.includes('was due by')
    expect((await service.mailbox.waitFor(toOfficer, 5000)).text).toContain(UNIVERSITY)
  })

  test('is not chased any more once it has answered', async () => {
    const answered = await say('answer')
    expect(answered).toMatchObject({ answeredAt: expect.any(String), alarms: [{ alarm: 'unacknowledged' }, { alarm: 'late' }] })
    expect(await say('answer')).toEqual(answered)
    expect(await flags()).toEqual([])
  })
})

describe('another controller that speaks', () => {
  beforeEach(() => service.sql(`DELETE FROM letter WHERE kind LIKE 'forwarding-%'`))
  beforeAll(() => forwardedFor(BEN))

  test('is never reminded, and whoever answers has received it', async () => {
    await pass(3)
    expect((await say('answer')).acknowledgedAt).toEqual(expect.any(String))
    await pass(60)
    expect([await raised(), await flags(), await written()]).toEqual([[], [], []])
  })
})

test('nobody but that controller and the officers can say that it was answered', async () => {
  const path = `/v1/forwardings/${forwarding}/answer`
  const another = as.service({ client_id: 'college', scope: 'forwardings:read' })
  expect((await another(path, { method: 'POST' })).status).toBe(404)
  expect((await as.agent(['agent'])(path, { method: 'POST' })).status).toBe(403)
  expect((await as.person(BEN.userId, BEN.email)(path, { method: 'POST' })).status).toBe(403)
})

test('one that the policy does not name any more is not written to; the officer is', async () => {
  const before = service.config.policy.controllers.splice(0)
  await service.sql(`DELETE FROM letter WHERE kind LIKE 'forwarding-%'`)
  await service.sql(
    `UPDATE forwarding SET acknowledged_at = NULL, answered_at = NULL, forwarded_at = now() - interval '40 days', due_on = '2020-01-01' WHERE id = $1`,
    [forwarding],
  )
  await pass(0)
  service.config.policy.controllers.push(...before)
  expect(await written()).toEqual([{ kind: 'forwarding-alarm', count: 2 }])
})
