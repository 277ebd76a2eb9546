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

/** Each kind of caller, with one right and no more. */
const kinds = (): Record<string, Call> => ({
  nobody: as.anybody,
  'service without scopes': as.service({ scope: 'profile' }),
  'requests:open': as.service({ scope: 'requests:open' }),
  'requests:read': as.service({ scope: 'requests:read' }),
  'adapters:read': as.service({ scope: 'adapters:read' }),
  'adapters:write': as.service({ scope: 'adapters:write' }),
  'subjects:lookup': as.service({ scope: 'subjects:lookup' }),
  'forwardings:read': as.service({ client_id: 'university', scope: 'forwardings:read' }),
  'staff without a role': as.agent([]),
  agent: as.agent(['agent']),
  officer: as.agent(['privacy_officer']),
  dpo: as.agent(['dpo']),
  operator: as.agent(['operator']),
  person: as.person('u-ada', 'ada@example.org'),
})

const STAFF = ['agent', 'officer', 'dpo', 'operator']
/** Who gets in where. Whoever is not named here is turned away: 401 without a token, else 403. */
const ADMITTED: Record<string, string[]> = {
  'POST /v1/requests': ['nobody', 'requests:open', ...STAFF, 'person'],
  'GET /v1/requests': ['requests:read', ...STAFF, 'person'],
  'POST /v1/requests/search': ['requests:read', ...STAFF],
  'GET /v1/requests/:id': ['requests:read', ...STAFF, 'person'],
  'POST /v1/requests/:id/withdrawal': ['requests:open', 'person'],
  'POST /v1/requests/:id/cancellation': ['officer', 'dpo'],
  'GET /v1/requests/:id/timeline': ['requests:read', ...STAFF, 'person'],
  'GET /v1/requests/:id/clocks': ['requests:read', ...STAFF, 'person'],
  'GET /v1/requests/:id/details': ['requests:read', 'agent', 'officer', 'dpo', 'person'],
  'GET /v1/requests/:id/messages': ['requests:read', 'agent', 'officer', 'dpo', 'person'],
  'POST /v1/requests/:id/messages': ['requests:open', 'agent', 'officer', 'dpo', 'person'],
  'POST /v1/requests/:id/answer': ['officer', 'dpo'],
  'POST /v1/requests/:id/told-otherwise': ['officer', 'dpo'],
  'GET /v1/requests/:id/decisions': ['requests:read', 'agent', 'officer', 'dpo', 'person'],
  'POST /v1/requests/:id/decisions': ['officer', 'dpo'],
  'POST /v1/requests/:id/decisions/:decision/approval': ['officer', 'dpo'],
  'POST /v1/requests/:id/extensions': ['officer', 'dpo'],
  'GET /v1/requests/:id/pauses': ['agent', 'officer', 'dpo'],
  'POST /v1/requests/:id/pauses': ['agent', 'officer', 'dpo'],
  'POST /v1/requests/:id/pauses/:pause/approval': ['officer', 'dpo'],
  'POST /v1/requests/:id/pauses/:pause/answer': ['agent', 'officer', 'dpo'],
  'POST /v1/requests/:id/chasers': ['agent', 'officer', 'dpo'],
  'POST /v1/requests/:id/challenges': ['nobody', 'requests:open', 'agent', 'officer', 'dpo', 'person'],
  'POST /v1/requests/:id/proofs': ['nobody', 'requests:open', 'person'],
  'GET /v1/requests/:id/tasks': ['requests:read', ...STAFF],
  'POST /v1/requests/:id/tasks/:task/retry': ['officer', 'dpo', 'operator'],
  'GET /v1/requests/:id/forwardings': ['requests:read', ...STAFF, 'person'],
  'GET /v1/forwardings/:id': ['forwardings:read'],
  'POST /v1/forwardings/:id/acknowledgment': ['forwardings:read', 'officer', 'dpo'],
  'POST /v1/requests/:id/tasks/:task/outcome': ['officer', 'dpo'],
  'GET /v1/requests/:id/plan': [...STAFF, 'person'],
  'GET /v1/requests/:id/recipients': [...STAFF, 'person'],
  'POST /v1/requests/:id/recipients/:recipient': ['officer', 'dpo', 'operator'],
  'POST /v1/restores': ['dpo', 'operator'],
  'GET /v1/restores/:id': ['dpo', 'operator'],
  'GET /v1/requests/:id/letters': [...STAFF],
  'GET /v1/requests/:id/package': ['requests:read', ...STAFF, 'person'],
  'POST /v1/requests/:id/package/grants': ['person'],
  'POST /v1/requests/:id/package/links': ['requests:open', 'agent', 'officer', 'dpo', 'person'],
  'DELETE /v1/requests/:id/package': ['officer', 'dpo', 'person'],
  'GET /v1/downloads/:token': ['nobody', 'person'],
  'POST /v1/downloads/:token': ['nobody', 'person'],
  'GET /v1/downloads/content/:grant': ['nobody', 'person'],
  'POST /v1/adapters': ['adapters:write', 'operator'],
  'GET /v1/adapters': ['adapters:read', ...STAFF],
  'GET /v1/adapters/:id': ['adapters:read', ...STAFF],
  'PATCH /v1/adapters/:id': ['adapters:write', 'operator'],
  'DELETE /v1/adapters/:id': ['adapters:write', 'operator'],
  'POST /v1/adapters/:id/suspension': ['officer', 'dpo', 'operator'],
  'DELETE /v1/adapters/:id/suspension': ['officer', 'dpo', 'operator'],
  'POST /v1/deadlines': ['requests:read', ...STAFF, 'person'],
  'POST /v1/subjects/lookup': ['subjects:lookup', 'officer', 'dpo'],
  'POST /v1/holds': ['officer', 'dpo'],
  'GET /v1/holds': ['officer', 'dpo'],
  'POST /v1/holds/search': ['officer', 'dpo'],
  'GET /v1/holds/:id': ['officer', 'dpo'],
  'POST /v1/holds/:id/approval': ['officer', 'dpo'],
  'POST /v1/holds/:id/release': ['officer', 'dpo'],
  'POST /v1/holds/:id/release/approval': ['officer', 'dpo'],
  'GET /v1/requests/:id/holds': ['officer', 'dpo'],
  'GET /v1/requests/:id/evidence': ['officer', 'dpo'],
  'GET /v1/reports': ['officer', 'dpo', 'operator'],
  'GET /v1/audit': ['officer', 'dpo', 'operator'],
  'POST /v1/audit/verify': ['officer', 'dpo', 'operator'],
}
/** What holds nothing of anybody; no token is looked at. */
const PUBLIC = [
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /v1/signing-keys',
  'GET /v1/receivers',
  'GET /v1/policy',
  'GET /v1/policy/categories',
  'GET /v1/policy/versions',
  'GET /v1/policy/versions/:version',
  'GET /openapi.json',
  'GET /problems/:code',
]
/** Proven by a signature over the body; no token is looked at. */
const SIGNED = ['POST /v1/callbacks/:task']

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
