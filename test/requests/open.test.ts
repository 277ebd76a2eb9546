import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let service: Service
let as: ReturnType<typeof callers>
let people = 0

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
})
afterAll(() => service.close())

/** Somebody nobody has asked about yet. */
const somebody = () => `person-${++people}@example.org`
const email = (value: string) => ({ type: 'email', value })
const about = (value = somebody()) => ({ type: 'access', subject: { identities: [email(value)] } })
const ago = (milliseconds: number) => new Date(service.clock.now().getTime() - milliseconds).toISOString()
const open = (call: Call, body: object, headers = {}) => call('/v1/requests', { body, headers })
const requestsInStore = async () =>
  (await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM dsar_request'))[0]?.count

describe('a request is opened', () => {
  test.each([
    ['somebody without a token', () => as.anybody, {}, 'web'],
    ['a service', () => as.service(), {}, 'service'],
    ['staff, with the evidence', () => as.agent(), { channel: 'support_ticket', reference: 'ZD-1' }, 'support_ticket'],
  ])('by %s', async (_, call, more, channel) => {
    const { status, headers, body } = await open(call(), { ...about(), ...more })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/v1/requests/${body.id}`)
    expect(headers.get('etag')).toMatch(/^"v\d+"$/)
    expect(body).toMatchObject({
      type: 'access',
      state: 'verifying',
      channel,
      flags: [],
      requester: { relationship: 'self' },
      assurance: { needed: 1, reached: 0 },
    })
    expect(JSON.stringify(body)).not.toContain(`person-${people}`)
  })

  test('by the person at the portal, who is known from the token', async () => {
    const { status, body } = await open(as.person('u-carla', 'carla@example.org'), { type: 'portability', subject: {} })
    expect([status, body.channel, body.assurance]).toEqual([201, 'portal', { needed: 1, reached: 2 }])
    expect(body.subject.identities).toEqual([
      { type: 'email', value: 'c…@e….org' },
      { type: 'user_id', value: 'u…a' },
    ])
  })

  test('with the name and the reference kept sealed, and both gone from every answer', async () => {
    const { body } = await open(as.agent(), {
      ...about(),
      subject: { identities: [email(somebody())], name: 'Nadia Name', country: 'DE', locale: 'de' },
      channel: 'letter',
      reference: 'Letter 17',
    })
    expect(JSON.stringify(body)).not.toMatch(/Nadia|Letter 17/)
    const [row] = await service.sql<{ dump: string }>('SELECT row_to_json(r)::text AS dump FROM dsar_request r WHERE id = $1', [
      body.id,
    ])
    expect(row?.dump).not.toMatch(/Nadia|Letter 17/)
  })
})

/** Receipt, and the promise to everybody: 30 days or one calendar month, whichever ends first; both reckoned here by hand. */
const PROMISES = Array.from({ length: 12 }, (_, month) => {
  const received = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - month, 1) - DAY + 6 * HOUR)
  const thirty = new Date(received.getTime() + 30 * DAY)
  const [year, next] = [received.getUTCFullYear(), received.getUTCMonth() + 1]
  const lastOfNext = new Date(Date.UTC(year, next + 1, 0)).getUTCDate()
  const monthLater = new Date(Date.UTC(year, next, Math.min(received.getUTCDate(), lastOfNext)))
  const [thirtyOn, monthOn] = [thirty, monthLater].map(day => day.toISOString().slice(0, 10)) as [string, string]
  return { receivedAt: received.toISOString(), dueOn: thirtyOn < monthOn ? thirtyOn : monthOn, legalDueOn: monthOn }
}).filter(({ receivedAt }) => Date.parse(receivedAt) > Date.now() - 365 * DAY)

describe('the clock runs from receipt', () => {
  test.each(PROMISES)('what came $receivedAt is promised for $dueOn and owed by $legalDueOn', async expected => {
    const { status, body } = await open(as.service(), { ...about(), receivedAt: expected.receivedAt, reference: 'ZD-2' })
    expect(status).toBe(201)
    expect(body).toMatchObject(expected)
  })

  test('which is also when the request reached another office: the zone of the date counts, not its text', async () => {
    const instant = ago(2 * HOUR)
    const elsewhere = new Date(Date.parse(instant) + 5.5 * HOUR).toISOString().replace('Z', '+05:30')
    const { body } = await open(as.service(), { ...about(), receivedAt: elsewhere })
    expect(body.receivedAt).toBe(instant)
  })

  test.each([
    ['a day old without a reference', () => ({ receivedAt: ago(DAY + 60_000) }), /reference/],
    ['in the future', () => ({ receivedAt: ago(-5 * 60_000), reference: 'ZD-3' }), /future/],
    ['more than a year old', () => ({ receivedAt: ago(367 * DAY), reference: 'ZD-3' }), /year/],
    ['a second that no clock shows', () => ({ receivedAt: '2026-06-30T23:59:60Z', reference: 'ZD-3' }), /moment/],
  ])('a receipt %s is refused', async (_, more, why) => {
    const { status, body } = await open(as.service(), { ...about(), ...more() })
    expect([status, body.code]).toEqual([422, 'unprocessable'])
    expect(body.errors).toEqual([{ pointer: '/receivedAt', detail: expect.stringMatching(why) }])
  })

  test.each([
    ['just under a day old needs none', () => ({ receivedAt: ago(DAY - 60_000) })],
    ['almost a year old, with a reference', () => ({ receivedAt: ago(365 * DAY), reference: 'ZD-4' })],
    ['a few seconds ahead, as clocks differ', () => ({ receivedAt: ago(-30_000) })],
  ])('a receipt %s is taken', async (_, more) => {
    expect((await open(as.service(), { ...about(), ...more() })).status).toBe(201)
  })

  test('people themselves do not say when it came', async () => {
    const receivedAt = ago(HOUR)
    for (const [call, body] of [
      [as.anybody, about()],
      [as.person('u-dora', 'dora@example.org'), { type: 'access', subject: {} }],
    ] as const)
      expect((await open(call, { ...body, receivedAt })).body.errors[0].pointer).toBe('/receivedAt')
  })
})

describe('nobody opens a request', () => {
  test.each([
    ['as staff without a channel', () => as.agent(), () => ({ ...about(), reference: 'ZD-5' }), '/channel'],
    ['as staff without a reference', () => as.agent(), () => ({ ...about(), channel: 'mail' }), '/reference'],
    ['without naming anybody', () => as.service(), () => ({ type: 'access', subject: {} }), '/subject/identities'],
    [
      'without a token and without an address',
      () => as.anybody,
      () => ({ type: 'access', subject: { identities: [{ type: 'user_id', value: 'u-1' }] } }),
      '/subject/identities',
    ],
    ['at the portal about somebody else', () => as.person('u-eve', 'eve@example.org'), () => about(), '/subject/identities'],
    [
      'about data of a kind that the policy does not know',
      () => as.service(),
      () => ({ ...about(), scope: { categories: ['account', 'horoscopes'] } }),
      '/scope/categories/1',
    ],
  ])('%s', async (_, call, body, pointer) => {
    const answer = await open(call(), body())
    expect([answer.status, answer.body.code]).toEqual([422, 'unprocessable'])
    expect(answer.body.errors.map((fault: { pointer: string }) => fault.pointer)).toEqual([pointer])
  })

  test('as staff about themself', async () => {
    const subject = { identities: [email(somebody()), { type: 'user_id', value: 'agent-7' }] }
    const answer = await open(as.agent(), { type: 'access', subject, channel: 'mail', reference: 'ZD-6' })
    expect([answer.status, answer.body.code]).toEqual([403, 'not_allowed'])
  })

  test.each([
    ['somebody without a token', () => as.anybody, () => about()],
    ['staff', () => as.agent(), () => ({ ...about(), channel: 'mail', reference: 'ZD-7' })],
    ['the portal', () => as.person('u-fay', 'fay@example.org'), () => ({ type: 'access', subject: {} })],
  ])('with the word of %s for who somebody is', async (_, call, body) => {
    const before = await requestsInStore()
    const assurance = { method: 'portal_login', level: 4, verifiedAt: ago(0) }
    expect((await open(call(), { ...body(), assurance })).status).toBe(403)
    expect(await requestsInStore()).toBe(before)
  })

  test.each([
    { state: 'completed' },
    { dueOn: '2099-01-01' },
    { verifiedAt: '2026-01-01T00:00:00Z' },
    { tenantId: 'other' },
    { subject: { identities: [email('x@example.org')], provenance: 'resolved' } },
    { subject: { identities: [{ ...email('x@example.org'), provenance: 'resolved' }] } },
    { requester: { relationship: 'self', verified: true } },
    { details: { anything: 1 } },
    { assurance: { method: 'portal_login', level: 0, verifiedAt: '2026-01-01T00:00:00Z' } },
    { type: 'everything' },
  ])('T04 T26 with fields that are not for callers: %j', async more => {
    const before = await requestsInStore()
    const { status, body } = await open(as.service(), { ...about(), ...more })
    expect([status, body.code]).toEqual([400, 'invalid_request'])
    expect(await requestsInStore()).toBe(before)
  })

  test.each([
    'v@x.test\r\nBcc: evil@x.test',
    'a@b.test,c@d.test',
    '"x@evil.test y"@good.test',
    'user@good(x)evil.test',
    'user@go\u00adod.test',
    'a@b',
    'a@[127.0.0.1]',
    ' a@b.test',
  ])('T89 with %j for an address', async value => {
    const { status, body } = await open(as.anybody, about(value))
    expect([status, body.errors[0].pointer]).toEqual([422, '/subject/identities/0/value'])
    expect(JSON.stringify(body)).not.toContain('evil')
  })

  test.each(['u-1\u0000', 'u\u202e-1', ' u-1', 'u-1\n', 'e\u0301'])('with %j for an identifier', async value => {
    const identities = [email(somebody()), { type: 'user_id', value }]
    const { status, body } = await open(as.service(), { type: 'access', subject: { identities } })
    expect([status, body.errors[0].pointer]).toEqual([422, '/subject/identities/1/value'])
  })
})

describe('a letter that was found after the promised day', () => {
  test('is overdue at once, and does not lapse before there were two weeks to prove who wrote it', async () => {
    const { body } = await open(as.service(), { ...about(), receivedAt: ago(60 * DAY), reference: 'Letter 18' })
    const watched = async () => {
      await service.app.handlers['watch-deadlines']({})
      const [row] = await service.sql<{ state: string; flags: string[] }>('SELECT state, flags FROM dsar_request WHERE id = $1', [
        body.id,
      ])
      return [row?.state, row?.flags.includes('overdue')]
    }
    expect(await watched()).toEqual(['verifying', true])
    service.clock.advance(14 * DAY)
    expect(await watched()).toEqual(['verifying', true])
    service.clock.advance(DAY)
    expect(await watched()).toEqual(['lapsed', false])
  })
})
