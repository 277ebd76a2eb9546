import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { callAdapter } from '../../src/adapters/call-adapter.ts'
import { CALL_LIMITS } from '../../src/adapters/call-limits.ts'
import type { CollectSink } from '../../src/adapters/collect-stream.ts'
import { createOutbound } from '../../src/platform/outbound.ts'
import { ASKED, callOnce, LIMITS, SECRET, takingSink, taskFor } from '../support/adapter-calls.ts'
import { type Loopback, serveHttp } from '../support/loopback.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const it of open.splice(0)) await it.close()
})
const keep = <T extends { close(): Promise<void> }>(it: T): T => {
  open.push(it)
  return it
}

/** An adapter whose collect names these files, and which answers every other call with `serve`. */
async function adapterWith(
  files: (url: string) => object[],
  serve: (req: IncomingMessage, res: ServerResponse) => void = () => {},
): Promise<Loopback> {
  const server = await serveHttp((req, res) => {
    if (req.method === 'GET') return serve(req, res)
    const named = files(`http://${req.headers.host}`)
    const lines = [
      ...named.map(file => ({ dataset: 'attachments', file })),
      { end: { matched: [ASKED], counts: { invoices: 0, attachments: named.length } } },
    ]
    res.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines.map(line => JSON.stringify(line)).join('\n'))
  })
  return keep(server)
}
function* twoMillion(line: string): Generator<string> {
  const some = line.repeat(200)
  for (let n = 0; n < 10_000; n += 1) yield some
}
const text = { name: 'a.txt', mediaType: 'text/plain' }
const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64')

describe('a file', () => {
  test('in the line itself is decoded', async () => {
    const large = Buffer.alloc(300_000, 'abcdefg')
    const adapter = await adapterWith(() => [
      { ...text, base64: base64('hello') },
      { ...text, base64: '', size: 0 },
      { ...text, name: '../../etc/passwd', base64: base64(large), size: large.length },
    ])
    const { answer, taken } = await callOnce(adapter.url)
    expect(taken.files.map(({ name, content }) => [name, content.length])).toEqual([
      ['a.txt', 5],
      ['a.txt', 0],
      ['../../etc/passwd', 300_000],
    ])
    expect(taken.files[2]?.content.equals(large)).toBe(true)
    expect(answer).toMatchObject({ kind: 'collected', files: 3 })
  })

  test('at the adapter is fetched with a signature', async () => {
    const adapter = await adapterWith(
      url => [{ ...text, url: `${url}/files/1`, size: 5 }],
      (req, res) => {
        new Webhook(SECRET).verify('', req.headers as Record<string, string>)
        res.end('hello')
      },
    )
    const { answer, taken } = await callOnce(adapter.url)
    expect(taken.files).toEqual([{ dataset: 'attachments', ...text, size: 5, content: Buffer.from('hello') }])
    expect(answer.kind).toBe('collected')
  })

  test.each([
    ['files/1', '/dsar/files/1'],
    ['/files/1', '/files/1'],
  ])('at %p is looked for below the base address', async (given, expected) => {
    const asked: (string | undefined)[] = []
    const adapter = await adapterWith(
      () => [{ ...text, url: given, size: 5 }],
      (req, res) => {
        asked.push(req.url)
        res.end('hello')
      },
    )
    const { answer } = await callOnce(`${adapter.url}/dsar`)
    expect([answer.kind, asked]).toEqual(['collected', [expected]])
  })

  test('T114 elsewhere is fetched only where the operator says that files are kept, and then unsigned: not from what may be called for something else', async () => {
    const headers: string[] = []
    const storage = keep(
      await serveHttp((req, res) => {
        headers.push(...Object.keys(req.headers))
        res.end('hello')
      }),
    )
    const adapter = await adapterWith(() => [{ ...text, url: `${storage.url}/bucket/1` }])
    const { sink, taken } = takingSink()
    const collect = (hosts: Parameters<typeof createOutbound>[0]) => {
      const deps = { outbound: keep(createOutbound(hosts)), clock: { now: () => new Date() } }
      return callAdapter(deps, { baseUrl: adapter.url, secrets: [SECRET], task: taskFor(), sink, limits: LIMITS })
    }
    for (const allowedHosts of [[adapter.host], [adapter.host, storage.host]])
      expect(await collect({ allowedHosts })).toMatchObject({ kind: 'failed', code: 'file_refused' })
    expect(storage.connections()).toBe(0)

    const answer = await collect({ allowedHosts: [adapter.host], fileHosts: [storage.host] })
    expect(answer.kind).toBe('collected')
    expect(taken.files[0]?.content.toString()).toBe('hello')
    expect(headers.filter(name => name.startsWith('webhook'))).toEqual([])
  })

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'https://evil.example/',
    'http://u:p@127.0.0.1/',
    'http://[',
  ])('T114 at %s is refused', async url => {
    const adapter = await adapterWith(() => [{ ...text, url }])
    expect((await callOnce(adapter.url)).answer).toMatchObject({ kind: 'failed', code: 'file_refused' })
  })

  test.each<[string, object, object]>([
    ['that is not base64', { base64: 'a b!' }, { kind: 'failed', code: 'not_valid' }],
    ['in URL-safe base64', { base64: '-_-_' }, { kind: 'failed', code: 'not_valid' }],
    ['that is nowhere', {}, { kind: 'failed', code: 'not_valid' }],
    ['in two places', { base64: '', url: '/files/1' }, { kind: 'failed', code: 'not_valid' }],
    ['shorter than announced', { base64: base64('hello'), size: 6 }, { kind: 'later', code: 'count_mismatch' }],
    ['whose name is 70,000 characters', { base64: '', name: 'x'.repeat(70_000) }, { kind: 'failed', code: 'not_valid' }],
    ['larger than allowed', { base64: base64(Buffer.alloc(2000)) }, { kind: 'failed', code: 'too_large' }],
  ])('%s is a fault', async (_, file, expected) => {
    const adapter = await adapterWith(() => [{ ...text, ...file }])
    expect((await callOnce(adapter.url, { limits: { ...LIMITS, fileBytes: 1000 } })).answer).toMatchObject(expected)
  })

  test.each<[string, (res: ServerResponse) => void, object]>([
    ['is gone', res => res.writeHead(404).end(), { kind: 'later', code: 'file_unavailable' }],
    [
      'leads elsewhere',
      res => res.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      { kind: 'later', code: 'file_unavailable' },
    ],
    [
      'breaks off',
      res => res.writeHead(200, { 'content-length': '9' }).write('hello', () => res.destroy()),
      { kind: 'later', code: 'cut' },
    ],
    ['is longer than announced', res => res.end('hello!'), { kind: 'later', code: 'count_mismatch' }],
    ['is larger than allowed', res => res.end(Buffer.alloc(2000)), { kind: 'failed', code: 'too_large' }],
    [
      'is compressed',
      res => res.writeHead(200, { 'content-encoding': 'gzip' }).end('hello'),
      { kind: 'failed', code: 'unsupported_encoding' },
    ],
    ['never ends', res => res.write('x'), { kind: 'later', code: 'timeout' }],
  ])('that %s makes the whole collect fail', async (_, serve, expected) => {
    const adapter = await adapterWith(
      url => [{ ...text, url: `${url}/files/1`, size: 5 }],
      (_req, res) => serve(res),
    )
    expect((await callOnce(adapter.url, { limits: { ...LIMITS, fileBytes: 1000, idleMs: 200 } })).answer).toMatchObject(expected)
  })

  test('T82 is one of a limited number, and all together have a limited size', async () => {
    const adapter = await adapterWith(() => Array.from({ length: 4 }, () => ({ ...text, base64: base64(Buffer.alloc(900)) })))
    expect((await callOnce(adapter.url, { limits: { ...LIMITS, files: 3 } })).answer).toMatchObject({ code: 'too_large' })
    const { answer, taken } = await callOnce(adapter.url, { limits: { ...LIMITS, streamBytes: 6000, fileBytes: 1000 } })
    expect(answer.kind).toBe('collected')
    expect(taken.files).toHaveLength(4)
    const many = await adapterWith(
      url => Array.from({ length: 4 }, () => ({ ...text, url: `${url}/f` })),
      (_, res) => res.end(Buffer.alloc(900)),
    )
    expect((await callOnce(many.url, { limits: { ...LIMITS, streamBytes: 3000, fileBytes: 1000 } })).answer).toMatchObject({
      code: 'too_large',
    })
  })

  test('T82 is one of ten thousand at most, however many are named: two million are cut there, in bounded memory', async () => {
    const line = `${JSON.stringify({ dataset: 'attachments', file: { ...text, base64: 'YQ==' } })}\n`
    const adapter = keep(
      await serveHttp((_req, res) => {
        res.writeHead(200, { 'content-type': 'application/x-ndjson' })
        Readable.from(twoMillion(line))
          .on('error', () => {})
          .pipe(res)
      }),
    )
    const before = process.memoryUsage().rss
    let taken = 0
    let most = 0
    const counting: CollectSink = {
      record() {},
      async file(_dataset, _meta, content) {
        await buffer(content)
        taken += 1
        most = Math.max(most, process.memoryUsage().rss - before)
      },
    }
    const limits = { ...CALL_LIMITS, totalMs: 20_000 }
    expect((await callOnce(adapter.url, { sink: counting, limits })).answer).toMatchObject({ kind: 'failed', code: 'too_large' })
    expect(taken).toBe(10_000)
    expect(most).toBeLessThan(150 * 1024 ** 2)
  })

  test('that breaks off is the fault of the adapter, even where the sink reports it as its own', async () => {
    const adapter = await adapterWith(
      url => [{ ...text, url: `${url}/files/1` }],
      (_, res) => res.writeHead(200, { 'content-length': '9' }).write('hello', () => res.destroy()),
    )
    const wrapping: CollectSink = {
      record() {},
      file: (_dataset, _meta, content) =>
        buffer(content).then(
          () => {},
          () => Promise.reject(new Error('not written')),
        ),
    }
    expect((await callOnce(adapter.url, { sink: wrapping })).answer).toMatchObject({ kind: 'later', code: 'cut' })
  })

  test('left unread by the sink is our own mistake', async () => {
    const adapter = await adapterWith(() => [{ ...text, base64: base64('hello') }])
    await expect(callOnce(adapter.url, { sink: { record() {}, async file() {} } })).rejects.toThrow('unread')
  })
})
