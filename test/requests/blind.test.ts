import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { routesOf } from '../../src/http/declared-routes.ts'
import { type Answered, type Call, callers, until } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

/** Whatever anybody said, stored or is called is recognised by this word. */
const CANARY = /canary/i
const PERSON: Person = { userId: 'u-canary-9', email: 'canary-mail@canary.example', name: 'canary-name' }

let house: House
let service: Service
let as: ReturnType<typeof callers>
let person: Call
let officer: Call
let agent: Call
/** Paths of requests in which somebody said something wherever something can be said. */
const cases: string[] = []

const since = (at: string, fits: (request: Answered['body']) => boolean) =>
  until(
    () => officer(at),
    ({ body }) => fits(body),
  )
const open = async (by: Call, body: object): Promise<string> => {
  const opened = await by('/v1/requests', { body })
  expect(opened.status).toBe(201)
  const at = `/v1/requests/${opened.body.id}`
  cases.push(at)
  return at
}

beforeAll(async () => {
  house = await openHouse({}, [PERSON])
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  as = callers(service)
  person = as.person(PERSON.userId, PERSON.email)
  officer = as.agent(['privacy_officer'], 'officer-1')
  agent = as.agent(['agent'], 'agent-7')
  await registerAll(house, as.agent(['operator']), service)

  const copy = await open(as.service(), {
    type: 'access',
    subject: { identities: [{ type: 'email', value: PERSON.email }], name: 'canary-given-name' },
    reference: 'canary-reference',
    assurance: { method: 'portal_login', level: 2, verifiedAt: new Date().toISOString() },
  })
  await since(copy, ({ state }) => state === 'completed')
  const correction = await open(person, {
    type: 'rectification',
    subject: {},
    details: { corrections: [{ dataset: 'account', field: 'name', from: 'canary-from', to: 'canary-to' }] },
  })
  await since(correction, ({ flags }) => flags.length > 0)
  await open(person, { type: 'objection', subject: {}, details: { purposes: ['analytics'], reasons: 'canary-reasons' } })
  const review = await open(person, {
    type: 'automated_decision_review',
    subject: {},
    details: { decision: 'canary-decision', view: 'canary-view' },
  })
  await since(review, ({ flags }) => flags.includes('needs_decision'))
  await person(`${review}/messages`, { body: { text: 'canary-from-me' } })
  await officer(`${review}/messages`, { body: { text: 'canary-from-you' } })
  const question = await open(person, { type: 'inquiry', subject: {}, details: { message: 'canary-question' } })
  await since(question, ({ flags }) => flags.includes('needs_decision'))
  await officer(`${question}/pauses`, { body: { reason: 'clarification', question: 'canary-clarification' } })
  const refused = await officer(`${question}/decisions`, {
    body: { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'canary-refusal', citation: 'Art. 1' },
    headers: { 'if-match': '*' },
  })
  expect([refused.status, refused.body]).toEqual([201, expect.anything()])
})
afterAll(async () => {
  await service.close()
  await house.close()
})

/** Everything that can be read of the cases, and every list there is. */
async function readAll(reader: Call): Promise<Record<string, string>> {
  const routes = routesOf(service.app.server).filter(({ method, url }) => method === 'GET' && url.startsWith('/v1/'))
  const read: Record<string, string> = {}
  for (const { url } of routes)
    for (const at of url.includes('/requests/:id') ? cases : ['']) {
      const path = (at ? url.replace('/v1/requests/:id', at) : url).replace(/:\w+/g, () => randomUUID())
      const { status, bytes } = await reader(path)
      if (status === 200) read[path] = bytes.toString('latin1')
    }
  for (const flag of ['needs_decision', 'failed_task']) read[flag] = (await reader(`/v1/requests?flag=${flag}`)).bytes.toString()
  const found = await reader('/v1/requests/search', { body: { identity: { type: 'email', value: PERSON.email } } })
  return { ...read, search: found.bytes.toString() }
}

describe('A5, A21: a support agent works blind', () => {
  test('nothing that they can read holds a value, a word or a name of the person', async () => {
    const read = await readAll(agent)
    expect(Object.keys(read).length).toBeGreaterThan(40)
    expect(Object.entries(read).filter(([, bytes]) => CANARY.test(bytes))).toEqual([])
  })

  test('which is not because nothing was said: officers read what they decide on', async () => {
    const paths = Object.entries(await readAll(officer)).flatMap(([path, bytes]) => (CANARY.test(bytes) ? [path] : []))
    expect(paths.map(path => path.replace(/.*\//, '')).sort()).toEqual([
      ...['decisions', 'details', 'details', 'details', 'messages', 'messages'],
    ])
  })

  test('they see which field is to be corrected, and that there is more', async () => {
    const [, correction, objection, review] = cases
    expect((await agent(`${correction}/details`)).body).toEqual({
      corrections: [{ dataset: 'account', field: 'name' }],
      hidden: ['corrections'],
    })
    expect((await agent(`${objection}/details`)).body).toEqual({ purposes: ['analytics'], hidden: ['reasons'] })
    expect((await agent(`${review}/details`)).body).toEqual({ hidden: ['decision', 'view'] })
    expect((await officer(`${review}/details`)).body).toEqual({ decision: 'canary-decision', view: 'canary-view' })
    expect((await person(`${review}/details`)).body).toEqual({ decision: 'canary-decision', view: 'canary-view' })
  })

  test('they see who wrote and when, and can write; whoever is an officer as well reads', async () => {
    const [, , , review] = cases
    const at = expect.any(String)
    const id = expect.any(String)
    expect((await agent(`${review}/messages`)).body.messages).toEqual([
      { id, from: 'person', at, text: null, attachments: [] },
      { id, from: 'staff', at, text: null, attachments: [] },
    ])
    const both = await as.agent(['agent', 'dpo'], 'agent-8')(`${review}/messages`)
    expect(both.body.messages.map(({ text }: { text: string }) => text)).toEqual(['canary-from-me', 'canary-from-you'])
    expect((await agent(`${review}/messages`, { body: { text: 'We are looking into it.' } })).status).toBe(201)
  })

  test('they see what was decided, and neither the reasons nor the evidence', async () => {
    const [decision] = (await agent(`${cases[4]}/decisions`)).body.decisions
    expect(decision).toMatchObject({ kind: 'refuse', ground: 'not_a_right_under_law', reasons: null })
    expect(decision).not.toHaveProperty('evidence')
    expect(decision).toHaveProperty('decidedBy')
  })

  test('they see which letters went out, and not to whom', async () => {
    const { letters } = (await agent(`${cases[0]}/letters`)).body
    expect(letters.map(({ kind, state }: Record<string, string>) => [kind, state])).toEqual([
      ['acknowledgment', 'sent'],
      ['ready', 'sent'],
    ])
    expect(Object.keys(letters[0]).sort()).toEqual(['attempts', 'id', 'kind', 'sentAt', 'state', 'toBeTold', 'writtenAt'])
    expect(letters[0].sentAt >= letters[0].writtenAt).toBe(true)
  })
})
