import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import type { AdapterCall } from '../../src/adapters/call-adapter.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { ASKED, callOnce, LIMITS, SECRET, taskFor } from '../support/adapter-calls.ts'
import { type Loopback, serveBytes, serveHttp } from '../support/loopback.ts'

const open: Loopback[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})
const keep = (server: Loopback): Loopback => {
  open.push(server)
  return server
}

/** Nobody waits longer because of what somebody else was sent. */
const STALL_MS = 200

/**
 * Milliseconds for which this process did nothing else at a time, at most. Of the time that its thread worked: what other processes
 * took meanwhile does not count. What held it up last shows only once it is at leisure again.
 */
async function stallDuring(run: () => Promise<void>): Promise<number> {
  const worked = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  let before = worked()
  let longest = 0
  const looking = setInterval(() => {
    const now = worked()
    longest = Math.max(longest, now - before)
    before = now
  }, 1)
  await pause(20)
  await run()
  await pause(20)
  clearInterval(looking)
  return longest
}

const ownNames = (members: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: members }, (_, n) => [`n${n}`, 0])))

type Reply = (res: ServerResponse, req: IncomingMessage) => void
/** Calls an adapter that answers every call like this. */
async function callWith(reply: Reply, more: Partial<AdapterCall> = {}) {
  const listener: RequestListener = (req, res) => void text(req).then(() => reply(res, req))
  return callOnce(keep(await serveHttp(listener)).url, more)
}
const json =
  (body: unknown, status = 200): Reply =>
  res =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  res =>
    res.writeHead(code, headers).end()
const ndjson = (...lines: unknown[]): Reply => {
  const body = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  return res => res.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(body)
}
const end = (counts = { invoices: 0, attachments: 0 }) => ({ end: { matched: [ASKED], counts } })

const locate: TaskCall = taskFor({ action: 'locate' })
const located = {
  taskId: locate.taskId,
  matched: [ASKED],
  datasets: [
    { name: 'invoices', outcome: 'completed', count: 12 },
    { name: 'attachments', outcome: 'no_data' },
  ],
}

describe('asking an adapter', () => {
  test('sends the task, signed, under a key that is the same on every try', async () => {
    const seen: { req: IncomingMessage; body: string }[] = []
    const server = keep(
      await serveHttp(
        (req, res) =>
          void text(req).then(body => {
            seen.push({ req, body })
            res.writeHead(204).end()
          }),
      ),
    )
    for (const attempt of [1, 2]) await callOnce(`${server.url}/base/`, { task: taskFor({ attempt }) })
    for (const { req, body } of seen) {
      expect(`${req.method} ${req.url}`).toBe('POST /base/tasks')
      expect(new Webhook(SECRET).verify(body, req.headers as Record<string, string>)).toMatchObject({ action: 'collect' })
      expect(req.headers['idempotency-key']).toBe(taskFor().taskId)
    }
    expect(seen.map(({ body }) => JSON.parse(body).attempt)).toEqual([1, 2])
  })

  test('T63 lets no identity reach the address or the headers, whatever it looks like', async () => {
    const values = ['x\r\nHost: evil', '../admin?x=', '#', '\u0000', '"}]}']
    let [head, body] = ['', '']
    const server = keep(
      await serveHttp(
        (req, res) =>
          void text(req).then(received => {
            head = `${req.method} ${req.url} ${req.rawHeaders.join(' ')}`
            body = received
            res.writeHead(204).end()
          }),
      ),
    )
    await callOnce(server.url, { task: taskFor({ subject: { identities: values.map(value => ({ type: 'user_id', value })) } }) })
    expect(head).toMatch(/^POST \/tasks /)
    expect(head.match(/host /gi)).toHaveLength(1)
    expect(head).not.toMatch(/evil|admin/)
    expect(JSON.parse(body).subject.identities.map((identity: { value: string }) => identity.value)).toEqual(values)
  })

  test('polls the location, signed', async () => {
    const server = keep(
      await serveHttp((req, res) => {
        new Webhook(SECRET).verify('', req.headers as Record<string, string>)
        json(req.url === '/tasks/7' && req.method === 'GET' ? located : {})(res, req)
      }),
    )
    const { answer } = await callOnce(server.url, { task: locate, location: `${server.url}/tasks/7` })
    expect(answer.kind).toBe('result')
  })

  test('sends a task again that its location has forgotten', async () => {
    for (const lost of [404, 410]) {
      const { answer } = await callWith((res, req) => (req.method === 'GET' ? status(lost) : json(located))(res, req), {
        task: locate,
        location: '/tasks/7',
      })
      expect(answer.kind).toBe('result')
    }
  })
})

describe('an answer', () => {
  test('T78 204 means that nobody of these is known: a full answer', async () => {
    expect((await callWith(status(204))).answer).toEqual({ kind: 'unknown' })
  })

  test('202 says where to look and when', async () => {
    const accepted = await callWith(status(202, { location: '/tasks/7?x=1', 'retry-after': '7' }))
    expect(accepted.answer).toMatchObject({
      kind: 'accepted',
      location: expect.stringMatching(/^http:\/\/127.*\/tasks\/7\?x=1$/),
      retryAfterSeconds: 7,
    })
    const still = await callWith(status(202), { location: '/tasks/7' })
    expect(still.answer).toMatchObject({ kind: 'accepted', location: expect.stringContaining('/tasks/7'), retryAfterSeconds: 30 })
    const forEver = await callWith(status(202, { location: '/tasks/7', 'retry-after': '1000000000' }))
    expect(forEver.answer).toMatchObject({ retryAfterSeconds: 6 * 3600 })
  })

  test.each([
    ['tasks/7', undefined, '/dsar/tasks/7'],
    ['/tasks/7', undefined, '/tasks/7'],
    ['8', '/dsar/tasks/7', '/dsar/tasks/8'],
    ['?after=1', '/dsar/tasks/7', '/dsar/tasks/7?after=1'],
  ])('202 with the location %p is relative to the address that was called', async (given, polled, expected) => {
    const server = keep(await serveHttp((_req, res) => res.writeHead(202, { location: given }).end()))
    const { answer } = await callOnce(`${server.url}/dsar`, {
      task: locate,
      ...(polled && { location: `${server.url}${polled}` }),
    })
    expect(answer).toMatchObject({ kind: 'accepted', location: `${server.url}${expected}` })
  })

  test.each([
    undefined,
    'http://169.254.169.254/tasks/7',
    'https://127.0.0.1/tasks/7',
    'file:///tasks/7',
    '//evil.example/',
    'http://[',
  ])('202 with the location %p is refused: polls are signed, and go to the adapter alone', async location => {
    expect((await callWith(status(202, location ? { location } : {}))).answer).toMatchObject({
      kind: 'failed',
      code: 'location_refused',
    })
    if (location)
      expect((await callWith(status(204), { location })).answer).toMatchObject({ kind: 'failed', code: 'location_refused' })
  })

  test('to locate counts every dataset', async () => {
    expect((await callWith(json(located), { task: locate })).answer).toEqual({
      kind: 'result',
      matched: [ASKED],
      datasets: located.datasets,
    })
  })

  test('that still counts something after an erasure says so: it is for the caller to compare', async () => {
    const { answer } = await callWith(json(located), { task: locate })
    expect(answer.kind === 'result' && answer.datasets.some(({ count = 0 }) => count > 0)).toBe(true)
  })

  test('to resolve says who it is', async () => {
    const resolved = {
      matched: [ASKED],
      identities: [ASKED, { type: 'email', value: 'ada@example.org' }],
      contactPoints: [{ type: 'email', value: 'ada@example.org', since: '2020-01-01T00:00:00Z', verified: true }],
      name: 'Ada',
      locale: 'en',
      country: 'GB',
      status: 'match',
    }
    const task = taskFor({ action: 'resolve', scope: { datasets: [] } })
    expect((await callWith(json({ ...resolved, taskId: task.taskId, shoeSize: 39 }), { task })).answer).toEqual({
      kind: 'resolved',
      ...resolved,
    })
    expect((await callWith(json({ ...resolved, taskId: 'another' }), { task })).answer).toMatchObject({
      kind: 'failed',
      code: 'task_mismatch',
    })
    expect((await callWith(json({ ...resolved, taskId: task.taskId, matched: [] }), { task })).answer).toMatchObject({
      kind: 'quarantined',
    })
  })

  test('to a dry collect is a count, and a stream there is a fault', async () => {
    const task = taskFor({ dryRun: true })
    expect((await callWith(json(located), { task })).answer.kind).toBe('result')
    expect((await callWith(ndjson(end()), { task })).answer).toMatchObject({ kind: 'failed', code: 'unexpected_media_type' })
  })

  test.each<[string, object, object]>([
    ['T74 about another identity', { matched: [{ type: 'user_id', value: 'u-1' }] }, { kind: 'quarantined' }],
    ['about another identity, too', { matched: [ASKED, { type: 'email', value: 'eve@example.org' }] }, { kind: 'quarantined' }],
    ['about nobody', { matched: [] }, { kind: 'quarantined' }],
    ['T75 to another task', { taskId: '01981f6e-ffff-7c3a-9d57-0d6f2b1c4e88' }, { kind: 'failed', code: 'task_mismatch' }],
    ['that leaves a dataset out', { datasets: located.datasets.slice(1) }, { kind: 'failed', code: 'dataset_missing' }],
    [
      'that names a dataset nobody asked for',
      { datasets: [...located.datasets, { name: 'salaries', outcome: 'no_data' }] },
      { kind: 'failed', code: 'dataset_unknown' },
    ],
    [
      'that names a dataset twice',
      { datasets: [...located.datasets, located.datasets[0]] },
      { kind: 'failed', code: 'dataset_repeated' },
    ],
    [
      'that locates without counting',
      { datasets: located.datasets.map(({ name }) => ({ name, outcome: 'completed' })) },
      { kind: 'failed', code: 'not_valid' },
    ],
    [
      'with an outcome that does not exist',
      { datasets: located.datasets.map(({ name }) => ({ name, outcome: 'fine' })) },
      { kind: 'failed', code: 'not_valid' },
    ],
    [
      'with a negative count',
      { datasets: located.datasets.map(dataset => ({ ...dataset, count: -1 })) },
      { kind: 'failed', code: 'not_valid' },
    ],
    [
      'that counts what it does not have',
      { datasets: located.datasets.map(dataset => ({ ...dataset, outcome: 'no_data' })) },
      { kind: 'failed', code: 'outcome_contradicted', detail: 'invoices has no data, and yet a count' },
    ],
  ])('%s is not used', async (_, more, expected) => {
    expect((await callWith(json({ ...located, ...more }), { task: locate })).answer).toMatchObject(expected)
  })
})

describe('a fault', () => {
  test.each<[number, object]>([
    [200, { kind: 'failed', code: 'unexpected_media_type' }],
    [201, { kind: 'failed', code: 'unexpected_status' }],
    [206, { kind: 'failed', code: 'unexpected_status' }],
    [304, { kind: 'failed', code: 'redirected' }],
    [400, { kind: 'failed', code: 'refused' }],
    [401, { kind: 'failed', code: 'refused' }],
    [404, { kind: 'failed', code: 'unexpected_status' }],
    [408, { kind: 'later', code: 'server_error' }],
    [410, { kind: 'failed', code: 'unexpected_status' }],
    [422, { kind: 'failed', code: 'refused' }],
    [429, { kind: 'later', code: 'busy' }],
    [500, { kind: 'later', code: 'server_error' }],
    [502, { kind: 'later', code: 'server_error' }],
    [503, { kind: 'later', code: 'busy' }],
    [504, { kind: 'later', code: 'server_error' }],
  ])('F30 of status %i is never "no data"', async (code, expected) => {
    expect((await callWith(status(code))).answer).toMatchObject(expected)
  })

  test.each<[string | undefined, number | undefined]>([
    ['120', 120],
    ['-5', 0],
    ['1000000000', 1e9],
    ['soon', undefined],
    [undefined, undefined],
  ])('F30 with Retry-After %p says when to come back: %p', async (header, afterSeconds) => {
    const { answer } = await callWith(status(503, header ? { 'retry-after': header } : {}))
    expect(answer.kind === 'later' && answer.afterSeconds).toBe(afterSeconds)
  })

  test('F30 with Retry-After as a date says when to come back', async () => {
    const { answer } = await callWith(status(429, { 'retry-after': new Date(Date.now() + 90_000).toUTCString() }))
    expect(answer.kind === 'later' && Math.abs((answer.afterSeconds ?? 0) - 90)).toBeLessThanOrEqual(2)
  })

  test.each([301, 302, 303, 307, 308])('T60 redirect %i is not followed, and nothing of us is sent on', async code => {
    const elsewhere = keep(await serveHttp((_, res) => res.writeHead(204).end()))
    for (const location of [elsewhere.url, 'http://169.254.169.254/', '/tasks']) {
      expect((await callWith(status(code, { location }))).answer).toMatchObject({ kind: 'failed', code: 'redirected' })
    }
    expect(elsewhere.connections()).toBe(0)
  })

  test.each([
    ['text/html', '<html>Please log in</html>'],
    ['text/html; charset=utf-8', JSON.stringify(located)],
    ['application/json; charset=utf-16', JSON.stringify(located)],
    ['application/json, text/html', JSON.stringify(located)],
    ['application/problem+json', JSON.stringify(located)],
    ['application/x-ndjson', JSON.stringify(end())],
    ['', JSON.stringify(located)],
  ])('T77 is what comes as %p, whatever its body', async (type, body) => {
    const { answer } = await callWith(res => res.writeHead(200, type ? { 'content-type': type } : {}).end(body), { task: locate })
    expect(answer).toMatchObject({ kind: 'failed', code: 'unexpected_media_type' })
  })

  test.each<[string, string, string]>([
    ['300,000 levels deep', '['.repeat(300_000), 'too_deep'],
    ['half a document', '{"taskId":', 'not_json'],
    ['a page for a person', '<!doctype html><p>{}', 'not_json'],
    ['NaN', '{"taskId":NaN}', 'not_json'],
    ['a byte order mark', `\ufeff${JSON.stringify(located)}`, 'not_json'],
    ['half a character', '{"taskId":"\\ud800"}', 'not_json'],
    ['a member twice', JSON.stringify(located).replace('{', '{"matched":[{"type":"user_id","value":"u-1"}],'), 'not_valid'],
    ['a number beyond all', JSON.stringify(located).replace('12', '1e999'), 'not_valid'],
    ['a number of a million digits', JSON.stringify(located).replace('12', '9'.repeat(1_000_000)), 'not_valid'],
    ['nothing', '', 'not_json'],
    ['an empty object', '{}', 'not_valid'],
    ['null', 'null', 'not_valid'],
  ])('T72 is a JSON body that is %s', async (_, body, code) => {
    const { answer } = await callWith(res => res.writeHead(200, { 'content-type': 'application/json' }).end(body), {
      task: locate,
    })
    expect(answer).toMatchObject({ kind: 'failed', code })
  })

  test.each([
    ['levels', '['.repeat(300_000)],
    ['members of one object', `{${'"a":{},'.repeat(1_000_000)}"b":1}`],
    ['digits', `{"a":${'7'.repeat(7_000_000)}}`],
    ['members with names of their own', ownNames(600_000)],
    ['members with names of their own, as few as are read,', ownNames(49_000)],
    ['objects in objects', `[${`${'{"a":'.repeat(60)}0${'}'.repeat(60)},`.repeat(20_000)}0]`],
  ])('T72 holds up nobody else while it is found wrong, however many %s it has', async (_, body) => {
    const stalls: number[] = []
    for (let n = 0; n < 3; n += 1)
      stalls.push(
        await stallDuring(async () => {
          const reply: Reply = res => res.writeHead(200, { 'content-type': 'application/json' }).end(body)
          expect((await callWith(reply, { task: locate })).answer.kind).toBe('failed')
        }),
      )
    expect(Math.min(...stalls)).toBeLessThan(STALL_MS) // others may hold up this process too, but not three times
  })

  test.each([
    ['a line', ''],
    ['a record', '{"dataset":"invoices","record":'],
  ])('T72 holds up nobody else where %s of a stream is 300,000 levels deep', async (_, opening) => {
    const stall = await stallDuring(async () => {
      const { answer } = await callWith(ndjson(opening + '['.repeat(300_000)))
      expect(answer).toMatchObject({ kind: 'failed', code: 'too_deep' })
    })
    expect(stall).toBeLessThan(STALL_MS)
  })

  test('T72 is seen to hold up others where it does, as a control to the above', async () => {
    const stall = await stallDuring(async () => {
      const begun = process.threadCpuUsage()
      while (process.threadCpuUsage(begun).user < 1500 * STALL_MS);
    })
    expect(stall).toBeGreaterThan(STALL_MS)
  })

  test('never repeats what the adapter sent', async () => {
    const leaks = [
      status(422, { 'x-reason': 'Ada' }),
      json({ detail: 'Ada' }, 422),
      json({ ...located, taskId: 'Ada' }),
      json({ ...located, datasets: [{ name: 'Ada' }] }),
    ]
    for (const reply of leaks) expect(JSON.stringify((await callWith(reply, { task: locate })).answer)).not.toContain('Ada')
  })

  test('T73 leaves the prototypes of everything as they were', async () => {
    const body = `{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},${JSON.stringify(located).slice(1)}`
    const { answer } = await callWith(res => res.writeHead(200, { 'content-type': 'application/json' }).end(body), {
      task: locate,
    })
    expect(answer.kind).toBe('result')
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
  })
})

describe('a hostile answer', () => {
  const endless: Reply = res => {
    res.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const lines = Buffer.from(`{"dataset":"invoices","record":{"a":"${'x'.repeat(400)}"}}\n`.repeat(100))
    const more = () => {
      while (!res.destroyed && res.write(lines));
    }
    res.on('drain', more)
    more()
  }

  test('T67 without end is cut at the limit, in bounded memory', async () => {
    const before = process.memoryUsage().rss
    const sink = { record() {}, async file() {} }
    const { answer } = await callWith(endless, { sink, limits: { ...LIMITS, streamBytes: 50_000_000 } })
    expect(answer).toMatchObject({ kind: 'failed', code: 'too_large' })
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 ** 2)
  })

  test('of one endless document is cut at the limit', async () => {
    const { answer } = await callWith(
      res => {
        res.writeHead(200, { 'content-type': 'application/json' })
        const more = () => {
          while (!res.destroyed && res.write(Buffer.alloc(65_536, 0x20)));
        }
        res.on('drain', more)
        more()
      },
      { limits: { ...LIMITS, jsonBytes: 1_000_000 } },
    )
    expect(answer).toMatchObject({ kind: 'failed', code: 'too_large' })
  })

  test('T68 that drips is ended by the deadline of the whole call', async () => {
    const started = performance.now()
    const { answer } = await callWith(
      res => {
        res.writeHead(200, { 'content-type': 'application/x-ndjson' })
        const drip = setInterval(() => res.write(' '), 20)
        res.on('close', () => clearInterval(drip))
      },
      { limits: { ...LIMITS, idleMs: 1000, totalMs: 250 } },
    )
    expect(answer).toMatchObject({ kind: 'later', code: 'timeout' })
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('T69 that never comes is given up, while others are served', async () => {
    const silent = callWith(() => {}, { limits: { ...LIMITS, headersMs: 200 } })
    expect((await callWith(status(204))).answer.kind).toBe('unknown')
    expect((await silent).answer).toMatchObject({ kind: 'later', code: 'timeout' })
  })

  test.each(['gzip', 'br', 'deflate', 'gzip, gzip'])(
    'T70 encoded as %s, though we asked for no encoding, is not opened',
    async encoding => {
      const bomb = gzipSync(Buffer.alloc(3_000_000))
      const { answer } = await callWith(res =>
        res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bomb),
      )
      expect(answer).toMatchObject({ kind: 'failed', code: 'unsupported_encoding' })
    },
  )

  const stream = `${JSON.stringify({ dataset: 'invoices', record: {} })}\n${JSON.stringify(end({ invoices: 1, attachments: 0 }))}\n`
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n'
  test.each<[string, string, object]>([
    ['longer than it says it is', `${head}content-length: ${stream.length - 3}\r\n\r\n${stream}`, { kind: 'later', code: 'cut' }],
    [
      'shorter than it says it is',
      `${head}content-length: ${stream.length + 3}\r\n\r\n${stream}`,
      { kind: 'later', code: 'cut' },
    ],
    [
      'closed in the middle of a chunk',
      `${head}transfer-encoding: chunked\r\n\r\nfff\r\n${stream}`,
      { kind: 'later', code: 'cut' },
    ],
    [
      'without its last chunk',
      `${head}transfer-encoding: chunked\r\n\r\n${stream.length.toString(16)}\r\n${stream}\r\n`,
      { kind: 'later', code: 'cut' },
    ],
    ['reset before its headers', 'HTTP/1.1 200', { kind: 'later', code: 'connection' }],
  ])('T71 %s is never complete', async (_, bytes, expected) => {
    const { answer } = await callOnce(keep(await serveBytes(bytes)).url)
    expect(answer).toMatchObject(expected)
  })

  test('of a whole stream is complete, as a control to the above', async () => {
    const { answer } = await callOnce(keep(await serveBytes(`${head}content-length: ${stream.length}\r\n\r\n${stream}`)).url)
    expect(answer.kind).toBe('collected')
  })

  test('does not keep what it began to send from being thrown away: only `collected` counts', async () => {
    const { answer, taken } = await callWith(ndjson({ dataset: 'invoices', record: {} }))
    expect(taken.records).toHaveLength(1)
    expect(answer).toMatchObject({ kind: 'later', code: 'cut' })
  })

  test('does not hide the trouble of our own sink', async () => {
    const full = { record: () => Promise.reject(new Error('no space left')), async file() {} }
    await expect(callWith(ndjson({ dataset: 'invoices', record: {} }, end()), { sink: full })).rejects.toThrow('no space left')
  })
})

describe('our way there', () => {
  test('to an address that is not allowed is not taken', async () => {
    const server = keep(await serveHttp((_, res) => res.writeHead(204).end()))
    const { answer } = await callOnce('http://127.0.0.1:9', { baseUrl: server.url })
    expect(answer).toMatchObject({ kind: 'failed', code: 'egress_denied' })
    expect(server.connections()).toBe(0)
  })

  test('that is closed for now is taken again later', async () => {
    const server = await serveHttp(() => {})
    await server.close()
    expect((await callOnce(server.url)).answer).toMatchObject({ kind: 'later', code: 'connection' })
  })

  test('is left when the caller says so', async () => {
    const { answer } = await callWith(() => {}, { signal: AbortSignal.timeout(50) })
    expect(answer).toMatchObject({ kind: 'later', code: 'aborted' })
  })
})
