import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

const DAY = 86_400_000

let service: Service
let as: ReturnType<typeof callers>
let agent: Call
let crm: Call
/** What the service `crm` opened, in the order in which it is due. */
let theirs: { id: string; dueOn: string; type: string }[]

const email = (value: string) => ({ type: 'email', value })
const idsOf = ({ body }: Answered): string[] => body.requests.map(({ id }: { id: string }) => id)
const open = async (call: Call, body: object) => {
  const answer = await call('/v1/requests', { body })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body) + service.logs.filter(l => l.includes('err')).join(''))
  return answer.body
}

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
  agent = as.agent(['agent', 'privacy_officer'])
  crm = as.service()
  const opened = []
  for (let n = 0; n < 12; n++)
    opened.push(
      await open(crm, {
        type: n % 3 === 0 ? 'portability' : 'access',
        subject: { identities: [email(`Find-${n}@example.org`), { type: 'user_id', value: `found-${n}` }] },
        receivedAt: new Date(service.clock.now().getTime() - (n % 4) * DAY).toISOString(),
        reference: `REF ${n}`,
      }),
    )
  theirs = opened.sort((a, b) => (a.dueOn + a.id < b.dueOn + b.id ? -1 : 1))
  for (const n of [0, 1])
    await open(as.service({ client_id: 'shop' }), { type: 'access', subject: { identities: [email(`find-${n}@example.org`)] } })
  await open(as.anybody, { type: 'access', subject: { identities: [email('find-2@example.org')] } })
  await open(as.person('u-hal', 'hal@example.org'), { type: 'access', subject: {} })
})
afterAll(() => service.close())

/** Every page from the first, by the `next` of each body; the Link header has to lead to the same. */
async function walk(call: Call, query: string): Promise<string[]> {
  const seen: string[] = []
  let path: string | undefined = `/v1/requests?${query}`
  while (path) {
    const page: Answered = await call(path)
    expect(page.status).toBe(200)
    seen.push(...idsOf(page))
    const { next } = page.body
    const link: string | undefined = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
    expect(link).toBe(next && `/v1/requests?${query}&cursor=${next}`)
    path = link
  }
  return seen
}

describe('a list of requests', () => {
  test.each([1, 2, 5, 12, 100])('is walked in pages of %i: each request once, the most urgent first', async limit => {
    expect(await walk(crm, `limit=${limit}`)).toEqual(theirs.map(({ id }) => id))
  })

  test('keeps its filters from page to page', async () => {
    const portable = theirs.filter(({ type }) => type === 'portability').map(({ id }) => id)
    expect(await walk(crm, 'type=portability&open=true&limit=1')).toEqual(portable)
  })

  test('does not repeat or lose anything when requests come while it is walked', async () => {
    const first = await crm('/v1/requests?limit=6')
    await open(as.service({ client_id: 'shop' }), { type: 'access', subject: { identities: [email('late@example.org')] } })
    const second = await crm(`/v1/requests?limit=6&cursor=${first.body.next}`)
    expect([...idsOf(first), ...idsOf(second)]).toEqual(theirs.map(({ id }) => id))
  })

  test.each([
    'x',
    'e30',
    Buffer.from('{"dueOn":"soon","id":"1"}').toString('base64url'),
    Buffer.from('null').toString('base64url'),
  ])('refuses %s for a cursor', async cursor => {
    const { status, body } = await crm(`/v1/requests?cursor=${cursor}`)
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_request', '/cursor'])
  })

  test.each(['0000-01-01', '0000-12-31'])('takes no day that no calendar has: %s', async day => {
    const cursor = Buffer.from(JSON.stringify({ dueOn: day, id: theirs[0]?.id })).toString('base64url')
    expect((await crm(`/v1/requests?cursor=${cursor}`)).status).toBe(400)
    expect((await crm(`/v1/requests?dueBy=${day}`)).status).toBe(400)
  })

  test.each([
    'limit=0',
    'limit=101',
    'limit=1&limit=2',
    'state=nowhere',
    'open=maybe',
    'dueBy=soon',
    'subject=ana@example.org',
    'offset=5',
  ])('refuses ?%s', async query => {
    expect((await crm(`/v1/requests?${query}`)).status).toBe(400)
  })
})

describe('requests are found', () => {
  test('by day, state, flag and whether they are open', async () => {
    const [first, second, third] = theirs as [(typeof theirs)[0], (typeof theirs)[0], (typeof theirs)[0]]
    await service.sql(`UPDATE dsar_request SET flags = '{late_risk,overdue}' WHERE id = $1`, [second.id])
    await crm(`/v1/requests/${third.id}/withdrawal`, { method: 'POST' })
    const dueFirst = theirs.filter(({ dueOn }) => dueOn <= first.dueOn).map(({ id }) => id)
    expect(await walk(crm, `dueBy=${first.dueOn}&limit=50`)).toEqual(dueFirst)
    expect(await walk(agent, 'flag=overdue')).toEqual([second.id])
    expect(await walk(agent, 'flag=quarantined')).toEqual([])
    expect(await walk(crm, 'state=withdrawn')).toEqual([third.id])
    expect(await walk(crm, 'open=false')).toEqual([third.id])
    expect(await walk(crm, 'open=true')).not.toContain(third.id)
    expect((await crm('/v1/requests?flag=overdue')).status).toBe(403)
  })

  test('by exactly who is meant and by exactly what shows it, in whatever case an address was written', async () => {
    const search = (body: object) => agent('/v1/requests/search', { body })
    const named = theirs.map(({ id }) => id)
    const both = await search({ identity: email('FIND-5@example.org') })
    expect(idsOf(both)).toHaveLength(1)
    expect(named).toContain(idsOf(both)[0])
    expect(idsOf(await search({ identity: { type: 'user_id', value: 'found-5' } }))).toEqual(idsOf(both))
    expect(idsOf(await search({ reference: 'REF 5' }))).toEqual(idsOf(both))
    expect(idsOf(await search({ identity: email('find-5@example.org'), reference: 'REF 6' }))).toEqual([])
    for (const nothing of [
      { identity: email('find-@example.org') },
      { identity: { type: 'user_id', value: 'found-' } },
      { identity: { type: 'user_id', value: 'FOUND-5' } },
      { identity: { type: 'phone', value: 'found-5' } },
      { reference: 'REF' },
      { reference: 'ref 5' },
    ])
      expect(idsOf(await search(nothing))).toEqual([])
    expect(idsOf(await search({ identity: email('find-1@example.org') }))).toHaveLength(2)
  })

  test('without the identifier of anybody in an address or in a log line', async () => {
    await agent('/v1/requests/search', { body: { identity: email('find-7@example.org'), reference: 'REF 7' } })
    expect(service.logs.join('')).not.toMatch(/find-7|REF 7|found-7/i)
  })
})

describe('T21 a list shows nobody what is not theirs', () => {
  test('whatever it is filtered by', async () => {
    const mine = new Set(theirs.map(({ id }) => id))
    const queries = ['', 'open=true', 'type=access', 'state=verifying', 'dueBy=2999-01-01', 'limit=1']
    for (const query of queries) expect((await walk(crm, query)).every(id => mine.has(id))).toBe(true)
    for (const n of [0, 1, 2, 5]) {
      const { body } = await crm('/v1/requests/search', { body: { identity: email(`find-${n}@example.org`) } })
      expect(body.requests).toHaveLength(1)
      expect(mine.has(body.requests[0].id)).toBe(true)
    }
  })

  test('nor by the cursor of somebody who sees more', async () => {
    const page = await agent('/v1/requests?limit=3')
    const after = await as.person('u-hal', 'hal@example.org')(`/v1/requests?cursor=${page.body.next}`)
    expect(idsOf(after).length).toBeLessThanOrEqual(1)
  })

  test('nor to the person whom a request only names', async () => {
    expect(await walk(as.person('found-5', 'find-5@example.org'), '')).toEqual([])
    expect(await walk(as.person('u-hal', 'hal@example.org'), '')).toHaveLength(1)
  })
})
