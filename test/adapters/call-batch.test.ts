import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import type { Answer } from '../../src/adapters/answer.ts'
import type { ServiceCall } from '../../src/adapters/call-adapter.ts'
import { createCallInBatches } from '../../src/adapters/call-batch.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { createOutbound, type Outbound } from '../../src/platform/outbound.ts'
import { LIMITS, SECRET, takingSink, taskFor } from '../support/adapter-calls.ts'
import { type Loopback, serveHttp } from '../support/loopback.ts'

interface Heard {
  req: IncomingMessage
  body: string
  tasks: TaskCall[]
}
type Reply = (res: ServerResponse, heard: Heard) => void

let server: Loopback
let outbound: Outbound
let heard: Heard[]
let reply: Reply
let ask: (call: ServiceCall) => Promise<Answer>

beforeEach(async () => {
  heard = []
  reply = answering(() => ({ status: 204 }))
  server = await serveHttp(
    (req, res) =>
      void text(req).then(body => {
        const one = { req, body, tasks: body ? (JSON.parse(body).tasks ?? [JSON.parse(body)]) : [] }
        heard.push(one)
        reply(res, one)
      }),
  )
  outbound = createOutbound({ allowedHosts: [server.host] })
  ask = createCallInBatches({ outbound, clock: { now: () => new Date() } })
})
afterEach(async () => {
  await outbound.close()
  await server.close()
})

const isShared = (answer: Answer): boolean => 'shared' in answer

const json = (body: unknown, status = 200): Reply => {
  const bytes = typeof body === 'string' ? body : JSON.stringify(body)
  return res => res.writeHead(status, { 'content-type': 'application/json' }).end(bytes)
}
/** Alone each task gets its status and body; several get an entry each. */
const answering =
  (answerTo: (task: TaskCall) => { status: number; body?: unknown; [more: string]: unknown }): Reply =>
  (res, { req, tasks }) => {
    const [only] = tasks
    if (req.url?.endsWith('/batches'))
      return json({ answers: tasks.map(task => ({ taskId: task.taskId, ...answerTo(task) })) })(res, { req, body: '', tasks })
    if (!only) return res.writeHead(500).end()
    const { status, body } = answerTo(only)
    return body ? json(body, status)(res, { req, body: '', tasks }) : res.writeHead(status).end()
  }

const people = (count: number): TaskCall[] =>
  Array.from({ length: count }, (_, n) => personTask({ subject: { identities: [{ type: 'user_id', value: `u-${n}` }] } }))
const personTask = (more: Partial<TaskCall> = {}) => taskFor({ action: 'locate', taskId: randomUUID(), ...more })
const located = ({ taskId, subject }: TaskCall, count = 1) => ({
  taskId,
  matched: subject.identities,
  datasets: [
    { name: 'invoices', outcome: 'completed', count },
    { name: 'attachments', outcome: 'no_data' },
  ],
})

const callFor = (task: TaskCall, more: Partial<ServiceCall> = {}): ServiceCall => ({
  baseUrl: server.url,
  secrets: [SECRET],
  batch: 50,
  task,
  limits: LIMITS,
  ...more,
})
const askAll = (tasks: readonly TaskCall[], more: Partial<ServiceCall> = {}) =>
  Promise.all(tasks.map(task => ask(callFor(task, more))))
const gistOf = (answer: Answer) => ('code' in answer ? `${answer.kind} ${answer.code}` : answer.kind)
const paths = () => heard.map(({ req }) => `${req.method} ${req.url}`)

describe('what begins at the same time', () => {
  test('travels in one signed call, and each task gets its own answer', async () => {
    const tasks = people(6)
    const [known, unknown, promised, refused, busy, broken] = tasks as [
      TaskCall,
      TaskCall,
      TaskCall,
      TaskCall,
      TaskCall,
      TaskCall,
    ]
    const answers = new Map<string, { status: number; body?: unknown; [more: string]: unknown }>([
      [known.taskId, { status: 200, body: located(known, 7) }],
      [unknown.taskId, { status: 204 }],
      [promised.taskId, { status: 202, location: 'tasks/17', retryAfter: 11 }],
      [refused.taskId, { status: 422, body: { code: 'unknown_dataset' } }],
      [busy.taskId, { status: 503, retryAfter: 40 }],
      [broken.taskId, { status: 500 }],
    ])
    reply = answering(({ taskId }) => answers.get(taskId) ?? { status: 500 })
    const came = await askAll(tasks, { baseUrl: `${server.url}/base/` })
    expect(paths()).toEqual(['POST /base/batches'])
    const [{ req, body }] = heard as [Heard]
    expect(new Webhook(SECRET).verify(body, req.headers as Record<string, string>)).toEqual({ tasks })
    expect(came).toMatchObject([
      { kind: 'result', datasets: [{ name: 'invoices', count: 7 }, {}] },
      { kind: 'unknown' },
      { kind: 'accepted', location: `${server.url}/base/tasks/17`, retryAfterSeconds: 11 },
      { kind: 'failed', code: 'refused' },
      { kind: 'later', code: 'busy', afterSeconds: 40 },
      { kind: 'later', code: 'server_error' },
    ])
  })

  test('alone is asked as ever, and so is whoever says of no batch', async () => {
    await askAll(people(1))
    await askAll(people(2), { batch: 1 })
    const [one, two] = people(2) as [TaskCall, TaskCall]
    const { batch: _, ...unsaid } = callFor(one)
    await Promise.all([ask(unsaid), ask({ ...unsaid, task: two })])
    expect(paths()).toEqual(Array(5).fill('POST /tasks'))
  })

  test('goes alone if it is a copy, a look at what was promised, or long', async () => {
    const long = Array.from({ length: 60 }, () => ({ dataset: 'invoices', field: 'text', from: 'a'.repeat(100), to: 'b' }))
    const { sink } = takingSink()
    await Promise.all([
      ask(callFor(personTask({ action: 'collect' }), { sink })),
      ask(callFor(personTask(), { location: `${server.url}/tasks/3` })),
      ask(callFor(personTask({ action: 'rectify', parameters: { corrections: long } }))),
      ...people(2).map(task => ask(callFor(task))),
    ])
    expect(paths().sort()).toEqual(['GET /tasks/3', 'POST /batches', 'POST /tasks', 'POST /tasks'])
  })

  test('is never more in a call than the adapter takes, nor than a hundred', async () => {
    await askAll(people(7), { batch: 3 })
    expect(heard.map(({ tasks }) => tasks.length)).toEqual([3, 3, 1])
    heard = []
    await askAll(people(150), { batch: 1000 })
    expect(heard.map(({ tasks }) => tasks.length).sort()).toEqual([100, 50])
  })

  test('at two adapters is asked of each, though they have one address', async () => {
    const [mine, theirs] = [people(2), people(2)]
    const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
    await Promise.all([askAll(mine), askAll(theirs, { secrets: [other] })])
    expect(heard.map(({ tasks }) => tasks)).toEqual(expect.arrayContaining([mine, theirs]))
    for (const { req, body, tasks } of heard) {
      const secret = tasks[0]?.taskId === mine[0]?.taskId ? SECRET : other
      expect(() => new Webhook(secret).verify(body, req.headers as Record<string, string>)).not.toThrow()
    }
  })

  test('waits for no answer: what comes later goes in a call of its own', async () => {
    const [release, first] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    reply = (res, one) => {
      if (heard.length > 1) return answering(() => ({ status: 204 }))(res, one)
      first.resolve()
      void release.promise.then(() => answering(() => ({ status: 204 }))(res, one))
    }
    const slow = askAll(people(2))
    await first.promise
    expect((await askAll(people(2))).map(gistOf)).toEqual(['unknown', 'unknown'])
    release.resolve()
    await slow
  })
})

describe('an answer to several', () => {
  test('T74 about somebody else is kept apart, and the others are taken', async () => {
    const [ana, ben] = people(2) as [TaskCall, TaskCall]
    reply = answering(task => ({ status: 200, body: { ...located(task), matched: ana.subject.identities } }))
    expect((await askAll([ana, ben])).map(gistOf)).toEqual(['result', 'quarantined'])
  })

  test('T75 that is another’s is not taken', async () => {
    const [ana, ben] = people(2) as [TaskCall, TaskCall]
    reply = answering(task => ({ status: 200, body: { ...located(task), taskId: ana.taskId } }))
    expect((await askAll([ana, ben])).map(gistOf)).toEqual(['result', 'failed task_mismatch'])
  })

  test('that leaves one out has that one asked again', async () => {
    const [ana, ben] = people(2) as [TaskCall, TaskCall]
    reply = json({ answers: [{ taskId: ana.taskId, status: 204 }] })
    const answers = await askAll([ana, ben])
    expect(answers.map(gistOf)).toEqual(['unknown', 'later cut'])
    expect(answers.map(isShared)).toEqual([false, false])
  })

  test('that promises a place which is not the adapter’s is not followed', async () => {
    reply = answering(() => ({ status: 202, location: 'http://127.0.0.1:1/tasks/1' }))
    expect((await askAll(people(2))).map(gistOf)).toEqual(['failed location_refused', 'failed location_refused'])
  })

  const entry = ({ taskId }: TaskCall, more: object = {}) => ({ taskId, status: 204, ...more })
  test.each<[string, (tasks: TaskCall[]) => unknown]>([
    ['names a task twice', ([a, b]) => ({ answers: [a, b, a].map(one => entry(one as TaskCall)) })],
    ['names one that was not asked', ([a, b]) => ({ answers: [a, b, personTask()].map(one => entry(one as TaskCall)) })],
    ['is a list', tasks => tasks.map(task => entry(task))],
    ['has a status in words', tasks => ({ answers: tasks.map(task => entry(task, { status: 'ok' })) })],
    [
      'T72 has a member twice',
      ([a, b]) => `{"answers":[{"taskId":"${a?.taskId}","status":500,"status":204},{"taskId":"${b?.taskId}","status":204}]}`,
    ],
    [
      'T72 has a body 1,000 levels deep',
      ([a]) => `{"answers":[{"taskId":"${a?.taskId}","status":200,"body":${'['.repeat(1000)}${']'.repeat(1000)}}]}`,
    ],
    ['T72 is half a document', () => '{"answers":['],
    ['has two million entries', () => `{"answers":[${'{},'.repeat(2_000_000)}{}]}`],
  ])('that %s is taken for none of them: each is asked alone', async (_, body) => {
    const [ana, ben] = people(2) as [TaskCall, TaskCall]
    const alone = answering(task => (task.taskId === ana.taskId ? { status: 200, body: located(task) } : { status: 500 }))
    reply = (res, one) => (one.tasks.length > 1 ? json(body([ana, ben])) : alone)(res, one)
    expect((await askAll([ana, ben])).map(gistOf)).toEqual(['result', 'later server_error'])
    expect(paths()).toEqual(['POST /batches', 'POST /tasks', 'POST /tasks'])
  })

  test.each<[string, Reply]>([
    ['404, for it is not there', res => res.writeHead(404).end()],
    ['204, which says nothing of anybody', res => res.writeHead(204).end()],
    ['T77 a page', res => res.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    ['T60 a redirect', res => res.writeHead(302, { location: '/tasks' }).end()],
  ])('which is %s has each asked alone', async (_, given) => {
    const [ana, ben] = people(2) as [TaskCall, TaskCall]
    const alone = answering(task => (task.taskId === ana.taskId ? { status: 200, body: located(task) } : { status: 422 }))
    reply = (res, one) => (one.tasks.length > 1 ? given : alone)(res, one)
    expect((await askAll([ana, ben])).map(gistOf)).toEqual(['result', 'failed refused'])
    expect(paths()).toEqual(['POST /batches', 'POST /tasks', 'POST /tasks'])
  })

  test.each<[string, Reply, string]>([
    ['429', res => res.writeHead(429, { 'retry-after': '9' }).end(), 'later busy'],
    ['500', res => res.writeHead(500).end(), 'later server_error'],
    ['a line that is cut', res => res.socket?.destroy(), 'later connection'],
  ])('which is %s has none of them asked again at once', async (_, given, expected) => {
    reply = given
    const answers = await askAll(people(2))
    expect(answers.map(gistOf)).toEqual([expected, expected])
    expect(answers.map(isShared)).toEqual([false, true]) // one call came to nothing, and not two
    expect(paths()).toEqual(['POST /batches'])
    expect(JSON.stringify(answers)).not.toMatch(/u-0/)
  })

  test('T68 that drips is ended by the deadline of the whole call', async () => {
    reply = res => {
      res.writeHead(200, { 'content-type': 'application/json' })
      const drip = setInterval(() => res.write(' '), 20)
      res.on('close', () => clearInterval(drip))
    }
    const answers = await askAll(people(2), { limits: { ...LIMITS, idleMs: 1000, totalMs: 250 } })
    expect(answers.map(gistOf)).toEqual(['later timeout', 'later timeout'])
  })
})

describe('a task that is given up', () => {
  test('is answered so at once, and the others go on', async () => {
    const [release, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    reply = (res, one) => {
      arrived.resolve()
      void release.promise.then(() => answering(() => ({ status: 204 }))(res, one))
    }
    const [ana, ben] = people(2) as [TaskCall, TaskCall]
    const stop = new AbortController()
    const [given, other] = [
      ask(callFor(ana, { signal: stop.signal })),
      ask(callFor(ben, { signal: new AbortController().signal })),
    ]
    await arrived.promise
    stop.abort()
    expect(gistOf(await given)).toBe('later aborted')
    release.resolve()
    expect(gistOf(await other)).toBe('unknown')
  })

  test('with all others ends the call', async () => {
    const [arrived, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    reply = res => {
      res.on('close', () => closed.resolve())
      arrived.resolve()
    }
    const stops = people(2).map(task => ({ task, stop: new AbortController() }))
    const asked = Promise.all(stops.map(({ task, stop }) => ask(callFor(task, { signal: stop.signal }))))
    await arrived.promise
    for (const { stop } of stops) stop.abort()
    expect((await asked).map(gistOf)).toEqual(['later aborted', 'later aborted'])
    await closed.promise
  })
})
