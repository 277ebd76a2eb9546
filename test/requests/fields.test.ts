import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answered, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let as: ReturnType<typeof callers>

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
})
afterAll(() => service.close())

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

describe('T27 an answer has these fields and no others', () => {
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
