import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type DeclaredRoute, routesOf } from '../../src/http/declared-routes.ts'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let as: ReturnType<typeof callers>
let routes: DeclaredRoute[]

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
  routes = routesOf(service.app.server).filter(({ method }) => method !== 'HEAD')
})
afterAll(() => service.close())

const nameOf = ({ method, url }: DeclaredRoute) => `${method} ${url}`
const fill = (url: string, id: string = randomUUID()) => url.replace(/:(token|grant)/, 'x'.repeat(43)).replace(/:\w+/g, id)
const call = (caller: Call, route: DeclaredRoute, id?: string, body?: object) =>
  caller(fill(route.url, id), { method: route.method, ...(body && { body }) })
const doorOf = ({ status, body }: Answered) => (['not_authenticated', 'not_allowed'].includes(body?.code) ? status : 'in')

/** What the routes about one request are called with; the others take no body. */
const VALID: Record<string, object[]> = {
  'POST /v1/requests/:id/messages': [{ text: 'Good day.' }],
  'POST /v1/requests/:id/proofs': [
    { method: 'email_code', code: '0000-0000' },
    { method: 'portal_login' },
    { method: 'service_assertion', assurance: { method: 'visit', level: 2, verifiedAt: new Date().toISOString() } },
  ],
}

describe('what is not yours', () => {
  test.each([
    ['a person', () => as.person('u-ada', 'ada@example.org')],
    ['a person with the same address', () => as.person('u-amy', 'bob@example.org')],
    ['a service', () => as.service({ client_id: 'shop' })],
  ])('is to %s what does not exist: the same bytes, on every route', async (_, caller) => {
    const theirs = await Promise.all([
      as.person('u-bob', 'bob@example.org', { auth_time: undefined })('/v1/requests', { body: { type: 'access', subject: {} } }),
      as.anybody('/v1/requests', {
        body: { type: 'access', subject: { identities: [{ type: 'email', value: 'ada@example.org' }] } },
      }),
    ])
    const stranger = caller()
    const tried: string[] = []
    for (const route of routes.filter(({ url }) => url.startsWith('/v1/requests/:id')))
      for (const body of VALID[nameOf(route)] ?? [undefined]) {
        const nowhere = await call(stranger, route, randomUUID(), body)
        if (doorOf(nowhere) !== 'in') continue
        tried.push(nameOf(route))
        expect([nameOf(route), nowhere.status]).toEqual([nameOf(route), body && 'code' in body ? 401 : 404])
        for (const { body: request } of theirs) {
          const answer = await call(stranger, route, request.id, body)
          expect([nameOf(route), answer.status, answer.bytes.toString()]).toEqual([
            nameOf(route),
            nowhere.status,
            nowhere.bytes.toString(),
          ])
        }
      }
    expect(new Set(tried).size).toBeGreaterThanOrEqual(7)
    for (const { body: request } of theirs) {
      const { entries } = (await as.agent()(`/v1/requests/${request.id}/timeline`)).body
      expect(entries.map(({ event }: { event: string }) => event)).toEqual(['opened', 'identification_started'])
      await as.agent(['dpo'])(`/v1/requests/${request.id}/cancellation`, {
        body: { reason: 'test_request' },
        headers: { 'if-match': '*' },
      })
    }
  })
})

/** Every name in an answer, with the way to it. */
function namesIn(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap(one => namesIn(one, `${at}[]`))
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, inner]) => [`${at}.${name}`, ...namesIn(inner, `${at}.${name}`)])
}

const REQUEST = [
  ...['id', 'type', 'state', 'flags', 'subject', 'subject.identities', 'subject.identities[].type', 'subject.identities[].value'],
  ...[
    'subject.country',
    'subject.region',
    'subject.locale',
    'requester',
    'requester.relationship',
    'channel',
    'scope',
    'receivedAt',
    'dueOn',
  ],
  ...[
    'legalDueOn',
    'assurance',
    'assurance.needed',
    'assurance.reached',
    'policyVersion',
    'completeness',
    'coolsOffAt',
    'createdAt',
    'closedAt',
  ],
  ...['links'],
].map(name => `.${name}`)
const MOMENT = ['.entries', ...['seq', 'at', 'event', 'by', 'by.kind', 'facts'].map(name => `.entries[].${name}`)]
const FACTS = ['right', 'receivedAt', 'dueOn', 'legalDueOn', 'from', 'to'].map(name => `.entries[].facts.${name}`)
const FOR_STAFF = ['.entries[].by.id', '.entries[].facts.channel', '.entries[].facts.policyVersion']

/** Which links there are differs from one reader to the next, and has tests of its own. */
const withoutLinks = ({ links, ...request }: Answered['body']) => ({ ...request, links: Object.keys(links).length })
const FIELDS = new Set(REQUEST)

describe('an answer has these fields and no others', () => {
  test.each([
    ['a person', () => as.person('u-cid', 'cid@example.org', { auth_time: undefined }), { type: 'access', subject: {} }, []],
    [
      'a service',
      () => as.service(),
      { type: 'access', subject: { identities: [{ type: 'email', value: 'cid@example.org' }], name: 'Cid' } },
      [],
    ],
    [
      'staff',
      () => as.agent(['agent', 'privacy_officer', 'dpo', 'operator']),
      {
        type: 'access',
        subject: { identities: [{ type: 'email', value: 'dan@example.org' }] },
        channel: 'mail',
        reference: 'ZD-1',
      },
      FOR_STAFF,
    ],
  ])('for %s', async (kind, caller, body, more) => {
    const opened = await caller()('/v1/requests', { body })
    const at = `/v1/requests/${opened.body.id}`
    for (const request of [opened, await caller()(at)]) expect(new Set(namesIn(withoutLinks(request.body)))).toEqual(FIELDS)
    const list = await caller()('/v1/requests')
    expect(new Set(namesIn(withoutLinks(list.body.requests[0])))).toEqual(FIELDS)
    expect(new Set(namesIn((await caller()(`${at}/timeline`)).body))).toEqual(new Set([...MOMENT, ...FACTS, ...more]))
    if (kind !== 'staff') expect(opened.body.flags).toEqual([])
  })

  test('for somebody without a token', async () => {
    const { body } = await as.anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: 'eva@example.org' }] } },
    })
    expect(new Set(namesIn(withoutLinks(body)))).toEqual(FIELDS)
  })
})
