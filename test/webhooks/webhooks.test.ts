import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { callers } from '../support/callers.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import { type Service, startService } from '../support/service.ts'
import { arrivals, isSignedWith, openAbout, type Subscriber, subscribe } from '../support/subscriber.ts'

const HOUR = 3_600_000
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`

let service: Service
let receiver: Receiver
let crm: Subscriber
let shop: Subscriber

beforeAll(async () => {
  receiver = await openReceiver()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: receiver.host } })
  crm = await subscribe(service, receiver, 'crm', ['request.opened'])
  shop = await subscribe(service, receiver, 'shop', ['request.withdrawn'])
})
afterAll(async () => {
  await service.close()
  await receiver.close()
})
beforeEach(() => {
  receiver.posted.length = 0
})

const any = { 'if-match': '*' }
const operator = () => callers(service).agent(['operator'])

describe('a webhook', () => {
  test('is the service’s own: to another it is not there, whatever that one tries; an operator sees all', async () => {
    const { id } = (await crm.call(crm.at)).body
    await openAbout(crm.call, 'u-1')
    const [delivery] = (await crm.call(`${crm.at}/deliveries`)).body.deliveries
    expect((await shop.call('/v1/webhooks')).body.webhooks.map((one: { id: string }) => one.id)).not.toContain(id)
    const tries = [
      shop.call(crm.at),
      shop.call(crm.at, { method: 'PATCH', body: { state: 'disabled' }, headers: any }),
      shop.call(crm.at, { method: 'DELETE', headers: any }),
      shop.call(`${crm.at}/secret`, { body: {}, headers: any }),
      shop.call(`${crm.at}/deliveries`),
      shop.call(`${crm.at}/deliveries/${delivery.id}/replay`, { method: 'POST' }),
      shop.call(`${shop.at}/deliveries/${delivery.id}/replay`, { method: 'POST' }),
      shop.call(`${crm.at}/replay`, { body: { since: '2026-01-01T00:00:00Z' } }),
    ]
    expect((await Promise.all(tries)).map(({ status }) => status)).toEqual(tries.map(() => 404))
    const { webhooks } = (await operator()('/v1/webhooks')).body
    expect(webhooks.map(({ owner }: { owner: string }) => owner.split('|')[1])).toEqual(['crm', 'shop'])
  })

  test('is changed by whoever has read it, and every change is on the record without its address', async () => {
    const read = await crm.call(crm.at)
    const etag = read.headers.get('etag') ?? ''
    const events = ['request.opened', 'request.completed']
    const change = (headers: Record<string, string>) => crm.call(crm.at, { method: 'PATCH', body: { events }, headers })
    expect((await change({})).body.code).toBe('precondition_required')
    const changed = await change({ 'if-match': etag })
    expect([changed.status, changed.body.events, changed.headers.get('etag') === etag]).toEqual([200, events, false])
    expect((await change({ 'if-match': etag })).body.code).toBe('stale')
    const record = (await operator()('/v1/audit?stream=webhooks')).body
    expect(record.entries.at(-1)).toMatchObject({ event: 'webhook_changed', facts: { what: ['events'], state: 'active' } })
    expect(JSON.stringify(record)).not.toContain(receiver.host)
  })

  test('is made once for an Idempotency-Key, and its secret is shown where it was made, nowhere else', async () => {
    const make = (body: object, key = randomUUID()) => crm.call('/v1/webhooks', { body, headers: { 'idempotency-key': key } })
    const [body, key] = [{ url: `${receiver.url}/once`, events: ['request.opened'] }, randomUUID()]
    const [first, again] = [await make(body, key), await make(body, key)]
    expect([first.status, again.body]).toEqual([201, first.body])
    expect(first.body.secret).toMatch(/^whsec_.{32}$/)
    expect((await crm.call(`/v1/webhooks/${first.body.id}`)).body.secret).toBe('***')
    const given = await make({ ...body, secret: newSecret() })
    expect(given.body.secret).toBe('***')
    for (const { id } of [first.body, given.body]) {
      expect((await crm.call(`/v1/webhooks/${id}`, { method: 'DELETE', headers: any })).status).toBe(204)
      expect((await crm.call(`/v1/webhooks/${id}`)).status).toBe(404)
    }
  })

  test('is one of twenty at most, also for a service that makes them all at once', async () => {
    const { call } = await subscribe(service, receiver, 'greedy')
    const more = Array.from({ length: 22 }, () =>
      call('/v1/webhooks', { body: { url: receiver.url, events: ['request.opened'] } }),
    )
    const codes = (await Promise.all(more)).map(({ status, body }) => body.code ?? status)
    expect(codes.filter(code => code === 201)).toHaveLength(19)
    expect(codes.filter(code => code === 'unprocessable')).toHaveLength(3)
  })

  test('switched off, is told nothing, not even what was queued', async () => {
    receiver.answer = res => res.writeHead(500).end()
    const { call, at } = await subscribe(service, receiver, 'quiet', ['request.opened'])
    await openAbout(call, 'u-quiet-1')
    await arrivals(receiver, 1)
    const off = await call(at, { method: 'PATCH', body: { state: 'disabled' }, headers: any })
    expect(off.body).toMatchObject({ state: 'disabled', disabledBecause: 'switched_off' })
    await openAbout(call, 'u-quiet-2')
    const { deliveries } = (await call(`${at}/deliveries`)).body
    expect(deliveries).toMatchObject([{ state: 'failed', problem: 'disabled' }])
    receiver.answer = res => res.writeHead(204).end()
  })
})

test('a secret is replaced: both sign as long as they overlap, then the new one alone', async () => {
  const { call, at, secret } = await subscribe(service, receiver, 'turning', ['request.opened'])
  const { status, body } = await call(`${at}/secret`, { body: { overlapHours: 2 }, headers: any })
  expect([status, Date.parse(body.bothUntil) > service.clock.now().getTime()]).toEqual([200, true])
  const signers = async (about: string) => {
    receiver.posted.length = 0
    await openAbout(call, about)
    await arrivals(receiver, 1)
    const [one] = receiver.posted
    return [secret, body.secret, newSecret()].map(each => one !== undefined && isSignedWith(each, one))
  }
  expect(await signers('u-turn-1')).toEqual([true, true, false])
  service.clock.advanceAlone(3 * HOUR)
  expect(await signers('u-turn-2')).toEqual([false, true, false])

  const given = newSecret()
  expect((await call(`${at}/secret`, { body: { secret: given, overlapHours: 0 }, headers: any })).body.secret).toBe('***')
  receiver.posted.length = 0
  await openAbout(call, 'u-turn-3')
  await arrivals(receiver, 1)
  expect(receiver.posted.map(one => [isSignedWith(body.secret, one), isSignedWith(given, one)])).toEqual([[false, true]])
})

test.each([
  'http://127.0.0.1:1/',
  'https://127.0.0.1/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://169.254.169.254/latest/meta-data',
  'https://10.0.0.8/',
  'https://localhost./',
  'https://127.0.0.1.nip.invalid/',
  'https://example.org:22/',
  'https://u:p@example.org/',
  'http://example.org/',
  'file:///etc/passwd',
])('T56 T57 an address that may not be called is refused, when it is made and when it is changed: %s', async url => {
  const made = await crm.call('/v1/webhooks', { body: { url, events: ['request.opened'] } })
  expect([made.status, made.body.code]).toEqual([422, 'address_refused'])
  const changed = await crm.call(crm.at, { method: 'PATCH', body: { url }, headers: any })
  expect([changed.status, changed.body.code]).toEqual([422, 'address_refused'])
})

test('T59 an address that leads inside by the time of the call is not called', async () => {
  const { call, at } = await subscribe(service, receiver, 'rebound', ['request.opened'])
  const inside = await openReceiver()
  await service.sql('UPDATE webhook SET url = $2 WHERE id = $1', [at.split('/').at(-1), inside.endpoint])
  await openAbout(call, 'u-rebound')
  const end = Date.now() + 10_000
  let delivery = { problem: null }
  while (!delivery?.problem && Date.now() < end) [delivery] = (await call(`${at}/deliveries`)).body.deliveries
  expect(delivery).toMatchObject({ state: 'queued', lastStatus: null, problem: 'egress_denied' })
  expect(inside.connections()).toBe(0)
  await inside.close()
})

test('deliveries are read by pages, the latest first, and by state', async () => {
  const { call, at } = await subscribe(service, receiver, 'reader', ['request.opened', 'request.state_changed'])
  for (let n = 0; n < 3; n++) await openAbout(call, `u-page-${n}`)
  await arrivals(receiver, 6)
  const all = (await call(`${at}/deliveries`)).body.deliveries
  expect(all).toHaveLength(6)
  const found: unknown[] = []
  for (let path: string | undefined = `${at}/deliveries?limit=2&state=delivered`; path; ) {
    const { body, headers } = await call(path)
    found.push(...body.deliveries.map(({ id }: { id: string }) => id))
    path = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
  }
  expect(found).toEqual(all.map(({ id }: { id: string }) => id))
  expect((await call(`${at}/deliveries?cursor=nonsense`)).status).toBe(400)
  expect((await call(`${at}/replay`, { body: { since: '2026-06-30T23:59:60Z' } })).body.code).toBe('unprocessable')
})
