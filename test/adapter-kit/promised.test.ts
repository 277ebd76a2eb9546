import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { TaskProblem } from '../../src/adapter-kit/adapter.ts'
import { type Loopback, serveHttp } from '../support/loopback.ts'
import { ANA, call, closeAdapters, linesOf, OTHER_SECRET, SECRET, type SentTask, startAdapter, taskFor } from './caller.ts'

interface Message {
  body: string
  headers: Record<string, string>
}

const listeners: Loopback[] = []
afterEach(async () => {
  await closeAdapters()
  await Promise.all(listeners.splice(0).map(listener => listener.close()))
})

/** Takes callbacks; the first `failures` are answered with 503. */
async function startListener(failures = 0): Promise<{ url: string; next(): Promise<Message> }> {
  const arrived: Message[] = []
  let waiting: ((message: Message) => void) | undefined
  let refused = 0
  const server: Loopback = await serveHttp(async (req, res) => {
    const body = await text(req)
    res.writeHead(refused < failures ? 503 : 204).end()
    refused += 1
    const message = { body, headers: req.headers as Record<string, string> }
    if (waiting) waiting(message)
    else arrived.push(message)
    waiting = undefined
  })
  listeners.push(server)
  const next = () =>
    new Promise<Message>(resolve => {
      const message = arrived.shift()
      if (message) resolve(message)
      else waiting = resolve
    })
  return { url: server.url, next }
}

async function startSlow(more: Parameters<typeof startAdapter>[0] = {}) {
  const gate = Promise.withResolvers<void>()
  const adapter = await startAdapter({
    find: async () => {
      await gate.promise
      return { matched: [ANA] }
    },
    answerWithin: 20,
    pollEvery: 1,
    ...more,
  })
  const post = (task: SentTask) => call('POST', `${adapter.url}/tasks`, task)
  return { ...adapter, gate, post }
}

const placeOf = (response: Response): string => response.headers.get('location') ?? ''

describe('an answer that takes too long', () => {
  test('is promised, and later is what it would have been', async () => {
    const { gate, post } = await startSlow()
    const promised = await post(taskFor('collect'))
    expect([promised.status, promised.headers.get('retry-after')]).toEqual([202, '1'])
    expect((await call('GET', placeOf(promised))).status).toBe(202)
    expect((await fetch(placeOf(promised))).status).toBe(401)
    gate.resolve()
    for (const _twice of [1, 2]) {
      const answer = await call('GET', placeOf(promised))
      expect(answer.status).toBe(200)
      expect(await linesOf(answer)).toContainEqual({ end: { matched: [ANA], counts: { notes: 2 } } })
    }
  })

  test('asked for again is promised at the same place', async () => {
    const { gate, post } = await startSlow()
    const task = taskFor('locate')
    expect(placeOf(await post(task))).toBe(placeOf(await post({ ...task })))
    gate.resolve()
    expect((await post(task)).status).toBe(200)
  })

  test('can be that the person is not known', async () => {
    const { post } = await startSlow({ answerWithin: 0, find: () => undefined })
    const promised = await post(taskFor('locate'))
    expect(promised.status).toBe(202)
    expect((await call('GET', placeOf(promised))).status).toBe(204)
  })

  test('can be a failure, after which the task may be sent again', async () => {
    let calls = 0
    const { post } = await startSlow({
      answerWithin: 0,
      find: () => {
        calls += 1
        if (calls === 1) throw new TaskProblem(503, 'unavailable', 'Not now.', { retryAfter: 7 })
        return { matched: [ANA] }
      },
    })
    const task = taskFor('locate')
    const failed = await call('GET', placeOf(await post(task)))
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '7'])
    expect((await call('GET', placeOf(await post(task)))).status).toBe(200)
  })

  test('can be given up while it only reads', async () => {
    const { post } = await startSlow()
    const place = placeOf(await post(taskFor('locate')))
    expect((await call('DELETE', place)).status).toBe(204)
    expect((await call('GET', place)).status).toBe(404)
  })

  test('cannot be given up when it changes something that cannot be stopped', async () => {
    const erase = async () => ({ notes: 2 })
    const { gate, post } = await startSlow({ perform: { erase } })
    const place = placeOf(await post(taskFor('erase')))
    expect((await call('DELETE', place)).status).toBe(409)
    gate.resolve()
    expect((await call('GET', place)).status).toBe(200)
  })
})

describe('the callback', () => {
  test('brings the result, signed with every secret', async () => {
    const listener = await startListener()
    const { gate, post } = await startSlow({ secrets: [SECRET, OTHER_SECRET] })
    const task = taskFor('locate', { callbackUrl: `${listener.url}/callbacks/1` })
    await post(task)
    gate.resolve()
    const { body, headers } = await listener.next()
    for (const secret of [SECRET, OTHER_SECRET]) expect(() => new Webhook(secret).verify(body, headers)).not.toThrow()
    expect(JSON.parse(body)).toEqual({
      taskId: task.taskId,
      matched: [ANA],
      datasets: [{ name: 'notes', count: 2, outcome: 'completed' }],
    })
  })

  test('of a collect only says that there is something to fetch', async () => {
    const listener = await startListener()
    const { gate, post } = await startSlow()
    const task = taskFor('collect', { callbackUrl: listener.url })
    await post(task)
    gate.resolve()
    expect(JSON.parse((await listener.next()).body)).toEqual({ taskId: task.taskId, status: 'done' })
  })

  test('is repeated under the same id until it is taken', async () => {
    const listener = await startListener(1)
    const { gate, post } = await startSlow()
    await post(taskFor('collect', { callbackUrl: listener.url }))
    gate.resolve()
    const first = await listener.next()
    const second = await listener.next()
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id'])
    expect(second.body).toBe(first.body)
  })

  test('is not sent for an answer given at once', async () => {
    const listener = await startListener()
    const { gate, post } = await startSlow({ answerWithin: 10_000 })
    gate.resolve()
    expect((await post(taskFor('locate', { callbackUrl: listener.url }))).status).toBe(200)
    const nothing = await Promise.race([listener.next(), new Promise(resolve => setTimeout(resolve, 100, 'nothing'))])
    expect(nothing).toBe('nothing')
  })
})
