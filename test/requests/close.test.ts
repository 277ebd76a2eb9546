import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let people = 0

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
  officer = as.agent(['privacy_officer'])
})
afterAll(() => service.close())

const reason = { reason: 'opened_by_mistake' }
const openBy = async (call: Call, value = `close-${++people}@example.org`) =>
  `/v1/requests/${(await call('/v1/requests', { body: { type: 'access', subject: { identities: [{ type: 'email', value }] } } })).body.id}`
const openAtPortal = async (person: Call) =>
  `/v1/requests/${(await person('/v1/requests', { body: { type: 'access', subject: {} } })).body.id}`
const withdraw = (call: Call, at: string) => call(`${at}/withdrawal`, { method: 'POST' })
const cancel = (call: Call, at: string, headers: Record<string, string>) => call(`${at}/cancellation`, { body: reason, headers })
const etagOf = async (at: string) => (await officer(at)).headers.get('etag') ?? ''
const eventsOf = async (at: string): Promise<string[]> =>
  (await officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)

describe('a request is taken back', () => {
  test('by the person who opened it, once', async () => {
    const ina = as.person('u-ina', 'ina@example.org')
    const at = await openAtPortal(ina)
    const first = await withdraw(ina, at)
    expect([first.status, first.body.state, typeof first.body.closedAt]).toEqual([200, 'withdrawn', 'string'])
    const second = await withdraw(ina, at)
    expect([second.status, second.body.code]).toEqual([409, 'illegal_transition'])
    expect((await eventsOf(at)).filter(event => event === 'withdrawn')).toHaveLength(1)
  })

  test('by the service that opened it', async () => {
    expect((await withdraw(as.service(), await openBy(as.service()))).body.state).toBe('withdrawn')
  })

  test('by nobody else', async () => {
    const at = await openAtPortal(as.person('u-kim', 'kim@example.org'))
    const nowhere = await withdraw(as.person('u-lea', 'lea@example.org'), `/v1/requests/${randomUUID()}`)
    const others = [as.person('u-lea', 'lea@example.org'), as.person('u-lea', 'kim@example.org'), as.service()]
    for (const call of others) {
      const answer = await withdraw(call, at)
      expect(answer.status).toBe(404)
      expect(answer.bytes.equals(nowhere.bytes)).toBe(true)
    }
    const named = await openBy(as.anybody, 'lea@example.org')
    expect((await withdraw(as.person('u-lea', 'lea@example.org'), named)).status).toBe(404)
    expect((await withdraw(as.anybody, at)).status).toBe(401)
    expect((await withdraw(officer, at)).status).toBe(403)
    expect((await officer(at)).body.state).toBe('verifying')
  })

  test('but not once it has been answered', async () => {
    const mia = as.person('u-mia', 'mia@example.org')
    const at = await openAtPortal(mia)
    await service.sql(`UPDATE dsar_request SET state = 'completed', closed_at = now() WHERE id = $1`, [at.split('/')[3]])
    for (const answer of [await withdraw(mia, at), await cancel(officer, at, { 'if-match': '*' })])
      expect([answer.status, answer.body.code]).toEqual([409, 'illegal_transition'])
    expect((await officer(at)).body.state).toBe('completed')
  })

  test('once per key, with the same answer again', async () => {
    const at = await openBy(as.service())
    const headers = { 'idempotency-key': randomUUID() }
    const [first, again] = [
      await as.service()(`${at}/withdrawal`, { method: 'POST', headers }),
      await as.service()(`${at}/withdrawal`, { method: 'POST', headers }),
    ]
    expect([first.status, again.status]).toEqual([200, 200])
    expect(again.bytes.equals(first.bytes)).toBe(true)
  })
})

describe('a request is cancelled', () => {
  test('by those who decide, on the version that they have read', async () => {
    const at = await openBy(as.service())
    const { status, headers, body } = await cancel(officer, at, { 'if-match': await etagOf(at) })
    expect([status, body.state]).toEqual([200, 'cancelled'])
    expect(headers.get('etag')).toBe(await etagOf(at))
    const { entries } = (await officer(`${at}/timeline`)).body
    expect(entries.at(-1)).toMatchObject({
      event: 'cancelled',
      facts: { reason: 'opened_by_mistake' },
      by: { kind: 'support_agent' },
    })
  })

  test.each([
    ['without saying which version', {}, 428, 'precondition_required'],
    ['on another version', { 'if-match': '"v99"' }, 412, 'stale'],
    ['on a weak tag', { 'if-match': 'W/"v2"' }, 412, 'stale'],
  ])('not %s', async (_, headers, status, code) => {
    const at = await openBy(as.service())
    const answer = await cancel(officer, at, headers as Record<string, string>)
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect((await officer(at)).body.state).toBe('verifying')
  })

  test('not on what changes while it is decided', async () => {
    const at = await openBy(as.service())
    const id = at.split('/')[3]
    const etag = await etagOf(at)
    const changer = await service.connect()
    await changer.query('BEGIN')
    await changer.query('UPDATE dsar_request SET version = version + 1 WHERE id = $1', [id])
    const held = await holdingUntilReleased(service, 'SELECT 1')
    const decision = cancel(officer, at, { 'if-match': etag })
    await held.waiting(1)
    await changer.query('COMMIT')
    await held.release()
    const { status, body } = await decision
    expect([status, body.code]).toEqual([412, 'stale'])
  })

  test.each([
    ['an agent', () => as.agent(['agent']), 403],
    ['an operator', () => as.agent(['operator']), 403],
    ['a service', () => as.service(), 403],
    ['a person', () => as.person('u-nia', 'nia@example.org'), 403],
    ['nobody', () => as.anybody, 401],
  ])('not by %s', async (_, call, status) => {
    const at = await openBy(as.service())
    expect((await cancel(call(), at, { 'if-match': '*' })).status).toBe(status)
  })

  test('with a reason from the list, because the record bears no free text about people', async () => {
    const at = await openBy(as.service())
    for (const body of [{}, { reason: 'Ana is annoying' }, { ...reason, note: 'Ana' }])
      expect((await officer(`${at}/cancellation`, { body, headers: { 'if-match': '*' } })).status).toBe(400)
  })
})

describe('the state of a request', () => {
  test.each([
    ['PATCH', '', { state: 'fulfilling' }],
    ['PUT', '', { state: 'fulfilling' }],
    ['DELETE', '', undefined],
    ['POST', '/approval', {}],
    ['POST', '/fulfilment', {}],
  ])('cannot be set: %s %s', async (method, path, body) => {
    const at = await openBy(as.service())
    for (const call of [as.service(), officer]) expect([404, 405]).toContain((await call(at + path, { method, body })).status)
    expect((await officer(at)).body.state).toBe('verifying')
  })
})
