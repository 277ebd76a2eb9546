import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { callers, until } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import {
  ALL_EVENTS,
  arrivals,
  deliveriesOnce,
  isSignedWith,
  openAbout,
  type Subscriber,
  subscribe,
} from '../support/subscriber.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

let house: House
let service: Service
let receiver: Receiver
let other: Receiver
let services = 0

beforeAll(async () => {
  house = await openHouse()
  ;[receiver, other] = [await openReceiver(), await openReceiver()]
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: [hostsOf(house), receiver.host, other.host].join(',') } })
  await registerAll(house, callers(service).agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await Promise.all([receiver.close(), other.close(), house.close()])
})
beforeEach(() => {
  for (const one of [receiver, other]) {
    one.posted.length = 0
    one.answer = res => res.writeHead(204).end()
  }
})
afterEach(async () => {
  await service.sql('DELETE FROM webhook')
  await service.sql('DELETE FROM webhook_delivery')
})

/** A service of its own for each test. */
const subscriber = (events: readonly string[] = ['request.opened'], at = receiver): Promise<Subscriber> => {
  services += 1
  return subscribe(service, at, `service-${services}`, events)
}
const answering = (...statuses: number[]) => {
  receiver.answer = res => res.writeHead(statuses.length > 1 ? (statuses.shift() as number) : (statuses[0] as number)).end()
}
const onRecord = async (event: string, { at }: Subscriber): Promise<object[]> => {
  const { entries } = (await callers(service).agent(['operator'])('/v1/audit?stream=webhooks&limit=500')).body
  return entries.filter(
    (one: { event: string; facts: { webhook: string } }) => one.event === event && at.endsWith(one.facts.webhook),
  )
}
const idsOf = ({ posted }: Pick<Receiver, 'posted'>) => posted.map(({ headers }) => headers['webhook-id'])

describe('a service is told', () => {
  test('of a whole access request, signed as the official package has it, and nothing about the person', async () => {
    const crm = await subscriber(ALL_EVENTS)
    const { body: opened } = await crm.call('/v1/requests', {
      body: {
        type: 'access',
        subject: { identities: [{ type: 'email', value: ANA.email }], name: ANA.name },
        assurance: { method: 'branch_visit', level: 4, verifiedAt: service.clock.real().toISOString() },
        reference: 'CANARY-7',
      },
    })
    await eventually(() => crm.told().some(({ type }) => type === 'request.completed'))
    await deliveriesOnce(crm, all => all.every(({ state }) => state === 'delivered'))

    const told = crm.told()
    const moves = told.filter(({ type }) => type === 'request.state_changed')
    expect(moves.map(({ data }) => `${data.previousState} ${data.state}`).sort()).toEqual([
      'assessing fulfilling',
      'delivering completed',
      'fulfilling packaging',
      'packaging delivering',
      'received verifying',
      'verifying assessing',
    ])
    const { id: requestId, dueOn, legalDueOn } = opened
    expect(told.find(({ type }) => type === 'request.opened')?.data).toEqual({ requestId, state: 'received', dueOn, legalDueOn })
    expect(told.map(({ data: { previousState: _, state: __, ...data } }) => data)).toEqual(
      told.map(() => ({ requestId, dueOn, legalDueOn })),
    )
    expect(new Set(idsOf(crm)).size).toBe(told.length)
    for (const one of crm.posted) {
      expect(isSignedWith(crm.secret, one)).toBe(true)
      const sent = `${JSON.stringify(one.headers)} ${one.body}`
      for (const canary of [ANA.email, ANA.userId, ANA.name, 'CANARY-7', 'branch_visit', 'access'])
        expect(sent).not.toContain(canary)
    }
    const logged = service.logs.join('')
    for (const canary of [crm.secret, `${receiver.host}/service-`]) expect(logged).not.toContain(canary)
  })

  test('of an extension, with the new day, and of deadlines that come near', async () => {
    const crm = await subscriber(['request.extended', 'deadline.approaching'])
    const { body: opened } = await crm.call('/v1/requests', {
      body: { type: 'erasure', subject: { identities: [{ type: 'email', value: ANA.email }] }, details: { ground: '17_1_b' } },
    })
    const officer = callers(service).agent(['privacy_officer'])
    const { body: extended } = await until(
      () => officer(`/v1/requests/${opened.id}/extensions`, { body: { reason: 'volume_of_data', text: 'There is much of it.' } }),
      ({ status }) => status === 201,
    )
    const legalDueOn = (await crm.call(`/v1/requests/${opened.id}`)).body.legalDueOn
    expect([extended.reason, legalDueOn > opened.legalDueOn]).toEqual(['volume_of_data', true])

    service.clock.advanceAlone(Date.parse(legalDueOn) - Date.now() - 9 * DAY)
    await service.app.handlers['watch-deadlines']({})
    await arrivals(receiver, 2)
    const told = new Map(crm.told().map(({ type, data }) => [type, data]))
    expect(told.get('request.extended')).toMatchObject({ requestId: opened.id, legalDueOn })
    expect(told.get('deadline.approaching')).toMatchObject({ requestId: opened.id, level: 'in_10_days', legalDueOn })
  })

  test('nothing of what was undone in the same transaction', async () => {
    const crm = await subscriber(['request.opened', 'request.withdrawn'])
    const id = await openAbout(crm.call, 'u-undone')
    await service.sql(`CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
      CREATE CONSTRAINT TRIGGER broken AFTER UPDATE ON dsar_request DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.state = 'withdrawn') EXECUTE FUNCTION break()`)
    const withdraw = () => crm.call(`/v1/requests/${id}/withdrawal`, { method: 'POST' })
    expect((await withdraw()).status).toBe(500)
    await service.sql('DROP FUNCTION break CASCADE')
    expect(await service.sql('SELECT type FROM webhook_delivery')).toEqual([{ type: 'request.opened' }])
    expect((await withdraw()).status).toBe(200)
    await arrivals(receiver, 2)
  })

  test('nothing of requests that are not its own, nor of events that it did not ask for', async () => {
    const [crm, shop] = [await subscriber(), await subscriber(['request.withdrawn'], other)]
    const mine = await openAbout(crm.call, 'u-1')
    const theirs = await openAbout(shop.call, 'u-2')
    await callers(service).person(ANA.userId, ANA.email)('/v1/requests', { body: { type: 'access', subject: {} } })
    await shop.call(`/v1/requests/${theirs}/withdrawal`, { method: 'POST' })
    await arrivals(receiver, 1)
    await arrivals(other, 1)
    expect(crm.told().map(({ data }) => data.requestId)).toEqual([mine])
    expect(shop.told().map(({ type, data }) => [type, data.requestId])).toEqual([['request.withdrawn', theirs]])
    expect(await service.sql('SELECT 1 FROM webhook_delivery')).toHaveLength(2)
  })

  test('nothing of a report, whose maker is not told what becomes of it', async () => {
    const crm = await subscriber(ALL_EVENTS)
    const { status } = await crm.call('/v1/requests', {
      body: {
        type: 'under_age_report',
        subject: { identities: [{ type: 'email', value: 'kid@example.org' }] },
        requester: { relationship: 'reporter' },
      },
    })
    expect(status).toBe(201)
    const after = await openAbout(crm.call, 'u-after')
    await arrivals(receiver, 2)
    expect(new Set(crm.told().map(({ data }) => data.requestId))).toEqual(new Set([after]))
  })
})

describe('what does not arrive', () => {
  test('is sent again after five seconds, the same under the same webhook-id, and signed anew', async () => {
    answering(500, 200)
    const crm = await subscriber()
    await openAbout(crm.call, 'u-3')
    const [failed] = await deliveriesOnce(crm, ([one]) => one?.attempts === 1 && one.lastStatus === 500)
    expect(failed).toMatchObject({ state: 'queued', problem: 'status' })
    service.clock.advanceAlone(7 * SECOND)
    const [delivered] = await deliveriesOnce(crm, ([one]) => one?.state === 'delivered')
    expect(delivered).toMatchObject({ attempts: 2, lastStatus: 200, problem: null, nextAttemptAt: null })
    const [first, second] = crm.posted
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(second?.body).toEqual(first?.body)
    expect(crm.posted.map(one => isSignedWith(crm.secret, one))).toEqual([true, true])
  })

  test.each([
    ['3600', 3600],
    ['99999999', 86_400],
  ])('waits as long as Retry-After asks, but never for more than a day: %s', async (header, seconds) => {
    receiver.answer = res => res.writeHead(503, { 'retry-after': header }).end()
    const crm = await subscriber()
    await openAbout(crm.call, `u-wait-${seconds}`)
    const [one] = await deliveriesOnce(crm, ([one]) => one?.lastStatus === 503)
    const wait = (Date.parse(one.nextAttemptAt) - service.clock.now().getTime()) / SECOND
    expect(wait).toBeGreaterThan(seconds - 20)
    expect(wait).toBeLessThanOrEqual(seconds)
  })

  test('is given up after ten attempts over four days; the webhook is flagged until something arrives, and replay sends it', async () => {
    answering(500)
    const crm = await subscriber()
    await openAbout(crm.call, 'u-4')
    for (let attempts = 1; attempts < 10; attempts++) {
      // It has ended once the next one is due later; until then the status is that of the one before.
      await deliveriesOnce(
        crm,
        ([one]) => one?.attempts === attempts && Date.parse(one.nextAttemptAt ?? '') > service.clock.now().getTime(),
      )
      service.clock.advanceAlone(30 * HOUR)
    }
    const [lost] = await deliveriesOnce(crm, ([one]) => one?.state === 'failed')
    expect(lost).toMatchObject({ attempts: 10, lastStatus: 500, nextAttemptAt: null })
    expect((await crm.call(crm.at)).body).toMatchObject({ state: 'active', failingSince: expect.any(String) })
    expect(await onRecord('webhook_failing', crm)).toHaveLength(1)

    answering(200)
    expect((await crm.call(`${crm.at}/deliveries/${lost.id}/replay`, { method: 'POST' })).body).toMatchObject({ state: 'queued' })
    await deliveriesOnce(crm, ([one]) => one?.state === 'delivered')
    expect(new Set(idsOf(crm))).toEqual(new Set([lost.id]))
    expect((await crm.call(crm.at)).body.failingSince).toBeNull()
  })

  test('because the receiver says that it is gone (410), switches the webhook off, with what else was queued', async () => {
    answering(500, 410)
    const crm = await subscriber()
    await openAbout(crm.call, 'u-5')
    await deliveriesOnce(crm, ([one]) => one?.lastStatus === 500)
    await openAbout(crm.call, 'u-6')
    const deliveries = await deliveriesOnce(crm, all => all.length === 2 && all.every(({ state }) => state === 'failed'))
    expect(deliveries.map(({ problem }: { problem: string }) => problem)).toEqual(['status', 'disabled'])
    expect((await crm.call(crm.at)).body).toMatchObject({ state: 'disabled', disabledBecause: 'gone' })
    expect(await onRecord('webhook_disabled', crm)).toHaveLength(1)

    await openAbout(crm.call, 'u-7')
    expect((await crm.call(`${crm.at}/replay`, { body: { since: '2026-01-01T00:00:00Z' } })).body.code).toBe('unprocessable')
    answering(200)
    await crm.call(crm.at, { method: 'PATCH', body: { state: 'active' }, headers: { 'if-match': '*' } })
    expect((await crm.call(`${crm.at}/replay`, { body: { since: '2026-01-01T00:00:00Z' } })).body).toEqual({ deliveries: 2 })
    await deliveriesOnce(crm, all => all.length === 2 && all.every(({ state }) => state === 'delivered'))
  })

  test('T60 because of a redirect, is not sent where that leads', async () => {
    receiver.answer = res => res.writeHead(307, { location: `${other.url}/elsewhere` }).end()
    const [crm, before] = [await subscriber(), other.connections()]
    await openAbout(crm.call, 'u-8')
    expect((await deliveriesOnce(crm, ([one]) => one?.lastStatus === 307))[0]).toMatchObject({ state: 'queued', attempts: 1 })
    expect(other.connections()).toBe(before)
  })

  test('because nobody answers for 15 seconds, holds up nobody else: four at once wait, and others are told meanwhile', async () => {
    receiver.answer = () => {}
    const [slow, quick] = [await subscriber(), await subscriber(undefined, other)]
    for (let n = 0; n < 7; n++) await openAbout(slow.call, `u-slow-${n}`)
    await arrivals(receiver, 4)
    for (let n = 0; n < 7; n++) await openAbout(quick.call, `u-quick-${n}`)
    await arrivals(other, 7)
    expect(receiver.posted).toHaveLength(4)
    const deliveries = await deliveriesOnce(slow, all => all.filter(({ problem }) => problem === 'timeout').length >= 4, 25_000)
    expect(deliveries.map(({ lastStatus }: { lastStatus: null }) => lastStatus)).toEqual(Array(7).fill(null))
  }, 40_000)
})

test('an attempt that was overtaken by the next changes nothing of what that one brought about', async () => {
  const overtaken = Promise.withResolvers<ServerResponse>()
  const mine = `/service-${services + 1}` // a test before may still be telling somebody
  receiver.answer = (res, req) => (req.url === mine ? overtaken.resolve(res) : res.writeHead(204).end())
  const crm = await subscriber()
  await openAbout(crm.call, 'u-12')
  const late = await overtaken.promise
  receiver.answer = res => res.writeHead(204).end()
  await service.sql(`UPDATE webhook_delivery SET lease_until = now() - interval '1 second'`)
  await deliveriesOnce(crm, ([one]) => one?.state === 'delivered')
  late.writeHead(410).end()
  await new Promise(next => setTimeout(next, 500))
  expect((await crm.call(`${crm.at}/deliveries`)).body.deliveries).toMatchObject([
    { state: 'delivered', attempts: 2, lastStatus: 204 },
  ])
  expect((await crm.call(crm.at)).body.state).toBe('active')
})

test('an answer without end is a 200 all the same, and is not read', async () => {
  let written = 0
  receiver.answer = res => {
    res.writeHead(200)
    const more = () => {
      while (!res.destroyed && res.write(Buffer.alloc(65_536))) written += 65_536
    }
    res.on('drain', more)
    more()
  }
  const crm = await subscriber()
  await openAbout(crm.call, 'u-9')
  await deliveriesOnce(crm, ([one]) => one?.state === 'delivered')
  await new Promise(next => setTimeout(next, 300))
  expect(written).toBeLessThan(8_000_000)
})

test('what arrived is told again since a moment, under the same ids, and is forgotten after 30 days', async () => {
  const crm = await subscriber()
  const before = await openAbout(crm.call, 'u-10')
  await deliveriesOnce(crm, ([one]) => one?.state === 'delivered')
  service.clock.advanceAlone(HOUR)
  const since = service.clock.now().toISOString()
  await openAbout(crm.call, 'u-11')
  const [latest] = await deliveriesOnce(crm, all => all.length === 2 && all.every(({ state }) => state === 'delivered'))
  receiver.posted.length = 0
  expect((await crm.call(`${crm.at}/replay`, { body: { since } })).body).toEqual({ deliveries: 1 })
  await arrivals(receiver, 1)
  await deliveriesOnce(crm, all => all.every(({ state }) => state === 'delivered'))
  expect(idsOf(crm)).toEqual([latest.id])
  expect(crm.told().map(({ data }) => data.requestId)).not.toContain(before)

  await service.app.handlers['forget-expired']({})
  expect((await crm.call(`${crm.at}/deliveries`)).body.deliveries).toHaveLength(2)
  service.clock.advanceAlone(31 * DAY)
  await service.app.handlers['forget-expired']({})
  expect((await crm.call(`${crm.at}/deliveries`)).body.deliveries).toEqual([])
})
