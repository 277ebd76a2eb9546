import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createAdapter } from '../../src/adapter-kit/adapter.ts'
import {
  ANA,
  call,
  closeAdapters,
  DESCRIBED,
  OTHER_SECRET,
  SECRET,
  type Sent,
  type SentTask,
  startAdapter,
  taskFor,
} from './caller.ts'

type Started = Awaited<ReturnType<typeof startAdapter>>
let adapter: Started

beforeEach(async () => {
  adapter = await startAdapter()
})
afterEach(closeAdapters)

const post = (task: SentTask, sent?: Sent) => call('POST', `${adapter.url}/tasks`, task, sent)

describe('a signature', () => {
  const task = taskFor('locate')
  test.each<[string, number, Sent]>([
    ['of now is accepted', 200, {}],
    ['four minutes and 58 seconds old is accepted', 200, { skew: -298 }],
    ['four minutes and 58 seconds ahead is accepted', 200, { skew: 298 }],
    ['five minutes and two seconds old is refused', 401, { skew: -302 }],
    ['five minutes and two seconds ahead is refused', 401, { skew: 302 }],
    ['that is absent is refused', 401, { headers: { 'webhook-signature': undefined } }],
    ['without its timestamp is refused', 401, { headers: { 'webhook-timestamp': undefined } }],
    ['without its id is refused', 401, { headers: { 'webhook-id': undefined } }],
    ['for another id is refused', 401, { headers: { 'webhook-id': 'msg_2' } }],
    ['with another secret is refused', 401, { secret: OTHER_SECRET }],
    ['of a scheme not known is refused', 401, { headers: { 'webhook-signature': 'v0,AAAA' } }],
    ['without any scheme is refused', 401, { headers: { 'webhook-signature': 'AAAA' } }],
    ['of a body to which one blank was added is refused', 401, { tampered: `${JSON.stringify(task)} ` }],
  ])('%s', async (_name, status, sent) => {
    const response = await post(task, sent)
    expect(response.status).toBe(status)
    if (status === 401) expect(await response.json()).toMatchObject({ status: 401, code: 'not_authenticated' })
  })

  test('is asked for before anything else, even on paths that do not exist', async () => {
    expect((await fetch(`${adapter.url}/manifest`)).status).toBe(401)
    expect((await fetch(`${adapter.url}/nothing/here`)).status).toBe(401)
    expect((await call('GET', `${adapter.url}/nothing/here`)).status).toBe(404)
  })

  test('by the old or the new secret is accepted while there are two', async () => {
    const rotating = await startAdapter({ secrets: [OTHER_SECRET, SECRET] })
    const statuses = [SECRET, OTHER_SECRET].map(
      async secret => (await call('GET', `${rotating.url}/manifest`, undefined, { secret })).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 200])
  })
})

describe('an idempotency key', () => {
  test('with the same task gives the same answer, whatever the attempt', async () => {
    const task = taskFor('locate')
    const first = await (await post(task)).text()
    const again = await post({ ...task, attempt: 2 }, { headers: { 'idempotency-key': `"${task.taskId}"` } })
    expect(again.status).toBe(200)
    expect(await again.text()).toBe(first)
  })

  test('with another task is a conflict', async () => {
    const task = taskFor('locate')
    await post(task)
    const other = await post({ ...task, action: 'collect' })
    expect(other.status).toBe(422)
    expect(await other.json()).toMatchObject({ code: 'key_reused' })
  })

  test('other than the id in the signed body is refused', async () => {
    expect((await post(taskFor('locate'), { headers: { 'idempotency-key': 'another' } })).status).toBe(400)
    expect((await post(taskFor('locate'), { headers: { 'idempotency-key': undefined } })).status).toBe(400)
  })

  test('sent ten times at once and ten times after has one effect', async () => {
    let erased = 0
    const gate = Promise.withResolvers<void>()
    const eraser = await startAdapter({
      perform: {
        erase: async () => {
          erased += 1
          await gate.promise
          return { notes: 2 }
        },
      },
    })
    const task = taskFor('erase')
    const together = Array.from({ length: 10 }, () => call('POST', `${eraser.url}/tasks`, task))
    gate.resolve()
    const answers = [
      ...(await Promise.all(together)),
      ...(await Promise.all(together.map(() => call('POST', `${eraser.url}/tasks`, task)))),
    ]
    expect(new Set(await Promise.all(answers.map(async answer => `${answer.status} ${await answer.text()}`))).size).toBe(1)
    expect(erased).toBe(1)
  })
})

describe('a task', () => {
  test('about a person not known here is answered with 204', async () => {
    for (const action of ['locate', 'collect'] as const) {
      const response = await post(taskFor(action, { subject: { identities: [{ type: 'user_id', value: 'u-nobody' }] } }))
      expect(response.status).toBe(204)
    }
  })

  test('without a scope is about every dataset, with one about those it names', async () => {
    const all = await (await post(taskFor('locate'))).json()
    expect(all).toMatchObject({ matched: [ANA], datasets: [{ name: 'notes', outcome: 'completed', count: 2 }] })
    const none = await (await post(taskFor('locate', { scope: { datasets: [] } }))).json()
    expect(none).toMatchObject({ datasets: [] })
  })

  test.each<[string, number, object]>([
    ['an action the manifest does not list', 422, { action: 'erase' }],
    ['a dataset the manifest does not list', 422, { scope: { datasets: ['secrets'] } }],
    ['identities of other types only', 422, { subject: { identities: [{ type: 'phone', value: '1' }] } }],
    ['no identity', 400, { subject: { identities: [] } }],
    ['an identity without a value', 400, { subject: { identities: [{ type: 'user_id' }] } }],
    ['no request', 400, { requestId: undefined }],
    ['a scope of another kind', 400, { scope: { datasets: 'all' } }],
  ])('with %s is refused for good', async (_name, status, change) => {
    const response = await post(taskFor('locate', change))
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })

  test('that is not JSON, not declared as such or too large is refused', async () => {
    expect((await post(taskFor('locate'), { headers: { 'content-type': 'text/plain' } })).status).toBe(415)
    expect((await post(taskFor('locate', { parameters: { text: 'x'.repeat(1024 * 1024) } }))).status).toBe(413)
  })

  test('fails when the author matches somebody nobody asked about', async () => {
    const errors: unknown[] = []
    const mistaken = await startAdapter({
      find: () => ({ matched: [{ type: 'user_id', value: 'u-bob' }] }),
      onError: error => errors.push(error),
    })
    const response = await call('POST', `${mistaken.url}/tasks`, taskFor('collect'))
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('u-bob')
    expect(errors).toHaveLength(1)
  })

  test('fails when a dataset in its scope has no outcome', async () => {
    const forgetful = await startAdapter({ perform: { erase: async () => ({}) } })
    expect((await call('POST', `${forgetful.url}/tasks`, taskFor('erase'))).status).toBe(500)
  })

  test('run dry gives the counts and no content', async () => {
    const response = await post(taskFor('collect', { dryRun: true }))
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toMatchObject({ datasets: [{ name: 'notes', count: 2 }] })
  })

  test('resolved to different people carries no contact point', async () => {
    const contactPoints = [{ type: 'email', value: 'a@example.org', since: '2024-01-01T00:00:00Z', verified: true } as const]
    const resolver = await startAdapter({ resolve: () => ({ matched: [ANA], identities: [], contactPoints, status: 'hold' }) })
    const response = await call('POST', `${resolver.url}/tasks`, taskFor('resolve'))
    expect(await response.json()).toMatchObject({ status: 'hold', contactPoints: [] })
  })
})

test('a definition that cannot be right fails at once', () => {
  const base = { name: 'x', secrets: SECRET, identityTypes: [{ type: 'user_id' }], find: () => undefined }
  const notes = { ...DESCRIBED, count: () => 0, records: () => [] }
  expect(() => createAdapter({ ...base, datasets: {} })).toThrow('holdsNothingBecause')
  expect(() => createAdapter({ ...base, datasets: { 'My Notes': notes } })).toThrow('lower-case')
  expect(() => createAdapter({ ...base, datasets: { notes: { ...DESCRIBED, count: () => 0 } } })).toThrow('neither')
  expect(() => createAdapter({ ...base, datasets: { notes }, secrets: 'whsec_c2hvcnQ=' })).toThrow('24 to 64')
  expect(() => createAdapter({ ...base, datasets: { notes }, secrets: [] })).toThrow('at least one')
})
