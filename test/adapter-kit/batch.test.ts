import { afterEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { TaskProblem } from '../../src/adapter-kit/adapter.ts'
import { ANA, call, closeAdapters, DESCRIBED, OTHER_SECRET, SECRET, startAdapter, taskFor } from './caller.ts'

afterEach(closeAdapters)

const limits = { batch: 5 }
const BEN = { type: 'user_id', value: 'u-ben' }

interface Entry {
  taskId: string
  status: number
  location?: string
  retryAfter?: number
  body?: { code?: string; datasets?: object[] }
}

/** Sends these as one batch, signed. */
async function send(url: string, json: unknown, { secret = SECRET, type = 'application/json' } = {}): Promise<Response> {
  const [body, at] = [typeof json === 'string' ? json : JSON.stringify(json), new Date()]
  const headers = {
    'content-type': type,
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
  }
  return fetch(`${url}/batches`, { method: 'POST', headers, body })
}
const answersTo = async (url: string, tasks: object[]): Promise<Entry[]> => {
  const response = await send(url, { tasks })
  expect(response.status).toBe(200)
  return ((await response.json()) as { answers: Entry[] }).answers
}

describe('several tasks in one call', () => {
  test('are each answered as they would have been alone', async () => {
    const { url } = await startAdapter({ limits })
    const tasks = [
      taskFor('locate'),
      taskFor('locate', { subject: { identities: [BEN] } }),
      taskFor('locate', { scope: { datasets: ['nothing'] } }),
      taskFor('collect'),
      taskFor('collect', { dryRun: true }),
    ]
    const answers = await answersTo(url, tasks)
    expect(answers.map(({ taskId }) => taskId)).toEqual(tasks.map(({ taskId }) => taskId))
    expect(answers.map(({ status, body }) => [status, body?.code])).toEqual([
      [200, undefined],
      [204, undefined],
      [422, 'unknown_dataset'],
      [422, 'asked_alone'],
      [200, undefined],
    ])
    const alone = await call('POST', `${url}/tasks`, tasks[0])
    expect(answers[0]?.body).toEqual(await alone.json())
  })

  test('are done at the same time, and one that fails does not keep the others from it', async () => {
    const seen: unknown[] = []
    const { promise: both, resolve } = Promise.withResolvers<void>()
    let counting = 0
    const count = async () => {
      counting += 1
      if (counting === 2) resolve()
      await both
      return 2
    }
    const { url } = await startAdapter({
      limits,
      onError: error => seen.push(error),
      find: ([one]) => {
        if (one?.value === 'u-broken') throw new Error('u-broken is broken')
        if (one?.value === 'u-busy') throw new TaskProblem(503, 'busy', 'Later.', { retryAfter: 7 })
        return one ? { matched: [one] } : undefined
      },
      datasets: { notes: { ...DESCRIBED, count, records: () => [] } },
    })
    const about = (value: string) => taskFor('locate', { subject: { identities: [{ type: 'user_id', value }] } })
    const answers = await answersTo(url, ['u-ana', 'u-broken', 'u-busy', 'u-ben'].map(about))
    expect(answers.map(({ status, retryAfter }) => [status, retryAfter])).toEqual([
      [200, undefined],
      [500, undefined],
      [503, 7],
      [200, undefined],
    ])
    expect(seen).toHaveLength(1)
    expect(JSON.stringify(answers)).not.toContain('u-broken')
  })

  test('change something once, however often and by whichever way they come', async () => {
    let erased = 0
    const erase = () => {
      erased += 1
      return 2
    }
    const { url } = await startAdapter({
      limits,
      datasets: { notes: { ...DESCRIBED, count: () => 2, records: () => [], erase } },
    })
    const tasks = [taskFor('erase'), taskFor('erase')]
    const first = await answersTo(url, tasks)
    expect(await answersTo(url, tasks)).toEqual(first)
    expect(await (await call('POST', `${url}/tasks`, tasks[0])).json()).toEqual(first[0]?.body)
    expect(erased).toBe(2)
    const [other] = await answersTo(url, [{ ...tasks[0], subject: { identities: [BEN] } }])
    expect(other).toMatchObject({ status: 422, body: { code: 'key_reused' } })
  })

  test('that take long are promised one by one', async () => {
    const slow = Promise.withResolvers<number>()
    const { url } = await startAdapter({
      limits,
      ...{ answerWithin: 20, pollEvery: 3 },
      datasets: {
        notes: { ...DESCRIBED, count: ({ matched: [one] }) => (one?.value === ANA.value ? slow.promise : 1), records: () => [] },
      },
      find: identities => ({ matched: identities }),
    })
    const [ana, ben] = await answersTo(url, [taskFor('locate'), taskFor('locate', { subject: { identities: [BEN] } })])
    expect([ana?.status, ana?.retryAfter, ben?.status]).toEqual([202, 3, 200])
    slow.resolve(4)
    const later = await call('GET', ana?.location ?? '')
    expect(await later.json()).toMatchObject({ taskId: ana?.taskId, datasets: [{ name: 'notes', count: 4 }] })
  })
})

describe('a batch is refused whole', () => {
  const tasks = [taskFor('locate'), taskFor('locate')]
  test.each<[string, () => unknown]>([
    ['with more tasks than the manifest says', () => ({ tasks: Array.from({ length: 6 }, () => taskFor('locate')) })],
    ['without any', () => ({ tasks: [] })],
    ['with one that has no id', () => ({ tasks: [tasks[0], { ...tasks[1], taskId: '' }] })],
    ['with one that is no object', () => ({ tasks: [tasks[0], null] })],
    ['with one that is there twice', () => ({ tasks: [tasks[0], tasks[0]] })],
    ['that is a list', () => tasks],
    ['that is not JSON', () => '{"tasks":['],
  ])('%s', async (_, json) => {
    const { url } = await startAdapter({ limits })
    const response = await send(url, json())
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'invalid_request' }])
  })

  test('that another signed, or that says it is something else', async () => {
    const { url } = await startAdapter({ limits })
    expect((await send(url, { tasks }, { secret: OTHER_SECRET })).status).toBe(401)
    expect((await send(url, { tasks }, { type: 'text/plain' })).status).toBe(415)
  })

  test('of two by an adapter that takes one at a time', async () => {
    const { url } = await startAdapter()
    expect((await send(url, { tasks })).status).toBe(400)
  })
})
