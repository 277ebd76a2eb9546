import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callers } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let as: ReturnType<typeof callers>
let people = 0

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
})
afterAll(() => service.close())

const somebody = () => `again-${++people}@example.org`
const about = (value: string, type = 'access') => ({ type, subject: { identities: [{ type: 'email', value }] } })
const countOf = async (since: number) =>
  (await service.sql<{ count: number }>('SELECT count(*)::int - $1 AS count FROM dsar_request', [since]))[0]?.count
const requestsNow = async () => Number(await countOf(0))
const keyed = (key: string) => ({ 'idempotency-key': key })
/** Lets nobody finish opening a request, though everybody can begin. */
const holdIntake = () => holdingUntilReleased(service, 'LOCK TABLE request_key IN EXCLUSIVE MODE')

describe('the same asked again', () => {
  test('by the same service is told of the open one', async () => {
    const service1 = as.service()
    const who = somebody()
    const first = await service1('/v1/requests', { body: about(who) })
    const again = await service1('/v1/requests', { body: about(who.toUpperCase().replace('EXAMPLE.ORG', 'example.org')) })
    expect([again.status, again.body.code]).toEqual([409, 'already_exists'])
    expect(again.body.detail).toContain(first.body.id)
    expect((await service1('/v1/requests', { body: about(who, 'portability') })).status).toBe(201)
  })

  test('by another service, or by somebody without a token, is a request of its own: what is open is not told to strangers', async () => {
    const who = somebody()
    await as.service()('/v1/requests', { body: about(who) })
    expect((await as.service({ client_id: 'shop' })('/v1/requests', { body: about(who) })).status).toBe(201)
    for (const _ of [1, 2]) expect((await as.anybody('/v1/requests', { body: about(who) })).status).toBe(201)
  })

  test('by staff is told of what anybody opened', async () => {
    const who = somebody()
    const first = await as.anybody('/v1/requests', { body: about(who) })
    const again = await as.agent()('/v1/requests', { body: { ...about(who), channel: 'mail', reference: 'ZD-1' } })
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining(first.body.id)])
  })

  test('after the first has ended is a new one', async () => {
    const person = as.person('u-gil', 'gil@example.org')
    const first = await person('/v1/requests', { body: { type: 'access', subject: {} } })
    expect((await person('/v1/requests', { body: { type: 'access', subject: {} } })).status).toBe(409)
    expect((await person(`/v1/requests/${first.body.id}/withdrawal`, { method: 'POST' })).status).toBe(200)
    expect((await person('/v1/requests', { body: { type: 'access', subject: {} } })).status).toBe(201)
  })

  test('at the same time, without a key, is opened once', async () => {
    const since = await requestsNow()
    const held = await holdIntake()
    const calls = [1, 2].map(() => as.service()('/v1/requests', { body: about(`twice-${people}@example.org`) }))
    await held.waiting(2)
    await held.release()
    expect((await Promise.all(calls)).map(({ status }) => status).sort()).toEqual([201, 409])
    expect(await countOf(since)).toBe(1)
  })
})

describe('the same call with the same key', () => {
  test('gets the same answer, to the byte', async () => {
    const key = randomUUID()
    const since = await requestsNow()
    const body = about(somebody())
    const first = await as.anybody('/v1/requests', { body, headers: keyed(key) })
    const again = await as.anybody('/v1/requests', { body, headers: keyed(key) })
    expect(again.status).toBe(201)
    expect(again.bytes.equals(first.bytes)).toBe(true)
    expect(['location', 'etag'].map(name => again.headers.get(name))).toEqual(
      ['location', 'etag'].map(name => first.headers.get(name)),
    )
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect(await countOf(since)).toBe(1)
  })

  test('but another body is refused, and opens nothing', async () => {
    const headers = keyed(randomUUID())
    await as.service()('/v1/requests', { body: about(somebody()), headers })
    const since = await requestsNow()
    const { status, body } = await as.service()('/v1/requests', { body: about(somebody()), headers })
    expect([status, body.code, await countOf(since)]).toEqual([422, 'key_reused', 0])
  })

  test('by another caller is another call', async () => {
    const headers = keyed(randomUUID())
    const body = about(somebody())
    const [a, b] = await Promise.all(
      ['crm', 'shop'].map(client_id => as.service({ client_id })('/v1/requests', { body, headers })),
    )
    expect([a?.status, b?.status]).toEqual([201, 201])
    expect(a?.body.id).not.toBe(b?.body.id)
  })

  test('needs an unguessable key where there is no token', async () => {
    const { status } = await as.anybody('/v1/requests', { body: about(somebody()), headers: keyed('1') })
    expect(status).toBe(400)
  })

  test('is told to wait while the first is still at work, fifty at once, and answered alike afterwards', async () => {
    const since = await requestsNow()
    const body = about(somebody())
    const headers = keyed(randomUUID())
    const crm = as.service()
    const held = await holdIntake()
    const first = crm('/v1/requests', { body, headers })
    await held.waiting(1)
    const meanwhile = await Promise.all(Array.from({ length: 49 }, () => crm('/v1/requests', { body, headers })))
    expect(new Set(meanwhile.map(answer => `${answer.status} ${answer.body.code}`))).toEqual(new Set(['409 in_progress']))
    expect(meanwhile[0]?.headers.get('retry-after')).toBe('1')
    await held.release()
    expect((await first).status).toBe(201)
    expect((await crm('/v1/requests', { body, headers })).body).toEqual((await first).body)
    expect(await countOf(since)).toBe(1)
  })

  test('finds the answer that never arrived', async () => {
    const since = await requestsNow()
    const body = about(somebody())
    const headers = keyed(randomUUID())
    const held = await holdIntake()
    const token = service.issuer.mint('service', { client_id: 'crm', scope: 'requests:open' })
    const lost = httpRequest(`${service.url}/v1/requests`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${token}` },
    })
    lost.on('error', () => {})
    lost.end(JSON.stringify(body))
    await held.waiting(1)
    lost.destroy()
    await held.release()
    const answers = await Promise.all([1, 2].map(() => untilDone(() => as.service()('/v1/requests', { body, headers }))))
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    expect(answers[0]?.body).toEqual(answers[1]?.body)
    expect(await countOf(since)).toBe(1)
  })
})

async function untilDone<A extends { status: number }>(ask: () => Promise<A>): Promise<A> {
  const answer = await ask()
  return answer.status === 409 ? untilDone(ask) : answer
}
