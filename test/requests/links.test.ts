import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { STATES } from '../../src/domain/lifecycle.ts'
import { routesOf } from '../../src/http/declared-routes.ts'
import { answeredRequest } from '../support/answered-request.ts'
import { type Call, callers, until } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'

let house: House
let service: Service
let as: ReturnType<typeof callers>
/** What can be read of a request, by its name in the path. */
let parts: string[]

beforeAll(async () => {
  house = await openHouse()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  as = callers(service)
  await registerAll(house, as.agent(['operator']), service)
  parts = routesOf(service.app.server).flatMap(
    ({ method, url }) => (method === 'GET' ? /^\/v1\/requests\/:id\/([\w-]+)$/.exec(url)?.[1] : undefined) ?? [],
  )
})
afterAll(async () => {
  await service.close()
  await house.close()
})

const READERS: Record<string, () => Call> = {
  'the service that opened it': () => as.service(),
  'staff without a role': () => as.agent([], 'nobody'),
  'a support agent': () => as.agent(['agent'], 'agent'),
  'an operator': () => as.agent(['operator'], 'operator'),
  'the privacy officer': () => as.agent(['privacy_officer'], 'officer'),
  'the data protection officer': () => as.agent(['dpo'], 'dpo'),
  'the person': () => as.person(ANA.userId, ANA.email),
  'somebody else': () => as.person(BEN.userId, BEN.email),
}

/** What a reader is linked to, and what they really get when they try everything there is. */
async function walk(id: string, reader: Call): Promise<{ linked: string[]; got: string[] }> {
  const at = `/v1/requests/${id}`
  const read = await reader(at)
  const links: Record<string, string> = read.body.links ?? {}
  const tried = await Promise.all(parts.map(async part => ({ path: `${at}/${part}`, ...(await reader(`${at}/${part}`)) })))
  const got = [{ path: at, ...read }, ...tried].filter(({ status }) => status === 200).map(({ path }) => path)
  return { linked: Object.values(links).sort(), got: got.sort() }
}

async function expectHonestLinks(id: string): Promise<void> {
  for (const [who, reader] of Object.entries(READERS)) {
    const { linked, got } = await walk(id, reader())
    expect([who, linked]).toEqual([who, got])
  }
}

/** Asked for by a service on the word of the person's login, so that the service and the person can both read it. */
async function asked(body: object): Promise<string> {
  const opened = await as.service()('/v1/requests', {
    body: {
      ...body,
      subject: { identities: [{ type: 'user_id', value: ANA.userId }] },
      assurance: { method: 'portal_login', level: 2, verifiedAt: service.clock.now().toISOString() },
    },
  })
  expect(opened.status).toBe(201)
  return opened.body.id
}
const reaches = (id: string, state: string) =>
  until(
    () => as.agent()(`/v1/requests/${id}`),
    ({ body }) => body.state === state,
  )

describe('a reader of a request is linked to all that they get of it, and to nothing else', () => {
  let erasure: string
  beforeAll(async () => {
    erasure = await asked({ type: 'erasure' })
    await reaches(erasure, 'cooling_off')
  })

  test('the plan and the recipients among it, for the person', async () => {
    const { links } = (await as.person(ANA.userId, ANA.email)(`/v1/requests/${erasure}`)).body
    const named = [
      'self',
      'timeline',
      'clocks',
      'details',
      'messages',
      'attachments',
      'decisions',
      'forwardings',
      'recipients',
      'plan',
    ]
    expect(Object.keys(links).sort()).toEqual(named.sort())
  })

  test.each(STATES)('when nothing is handed over and it is %s', async state => {
    await service.sql('UPDATE dsar_request SET state = $2 WHERE id = $1', [erasure, state])
    await expectHonestLinks(erasure)
  })

  test('when a copy was handed over', async () => {
    const { id } = await answeredRequest(service, ANA)
    await expectHonestLinks(id)
    expect((await walk(id, as.person(ANA.userId, ANA.email))).linked).toContain(`/v1/requests/${id}/package`)
  })

  test('when people have to answer it', async () => {
    const id = await asked({ type: 'inquiry', details: { message: 'Which of your services know my address?' } })
    await reaches(id, 'assessing')
    await expectHonestLinks(id)
  })
})

test('whoever reported somebody is linked to the report alone', async () => {
  const reporter = as.person(BEN.userId, BEN.email)
  const { body } = await reporter('/v1/requests', {
    body: {
      type: 'under_age_report',
      subject: { identities: [{ type: 'user_id', value: ANA.userId }] },
      requester: { relationship: 'reporter' },
    },
  })
  expect(body.links).toEqual({ self: `/v1/requests/${body.id}` })
  expect(await walk(body.id, reporter)).toEqual({ linked: [body.links.self], got: [body.links.self] })
})

test('whoever has no token is linked to nothing, and a service without the scope to read neither', async () => {
  const body = { type: 'access', subject: { identities: [{ type: 'email', value: 'eva@example.org' }] } }
  for (const caller of [as.anybody, as.service({ scope: 'requests:open' })])
    expect((await caller('/v1/requests', { body })).body.links).toEqual({})
})
