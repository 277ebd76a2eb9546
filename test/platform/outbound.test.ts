import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer as createHttpsServer } from 'node:https'
import type { LookupFunction, Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  checkedLookup,
  createOutbound,
  type OutboundCall,
  OutboundError,
  type OutboundOptions,
} from '../../src/platform/outbound.ts'
import {
  AUTHORITY,
  CERTIFICATE,
  CERTIFICATE_FOR_ANOTHER_NAME,
  EXPIRED_CERTIFICATE,
  PRIVATE_KEY,
} from '../support/certificates.ts'
import { type Loopback, listen, serveBytes, serveHttp } from '../support/loopback.ts'

const LIMITS = { headersMs: 2000, idleMs: 2000, totalMs: 4000, bytes: 100_000 }
const open: { close(): Promise<void> }[] = []
const keep = <T extends { close(): Promise<void> }>(it: T): T => {
  open.push(it)
  return it
}
afterEach(async () => {
  for (const it of open.splice(0).reverse()) await it.close()
})

async function get(server: Loopback, more: Partial<OutboundCall> = {}, options: Partial<OutboundOptions> = {}) {
  const outbound = keep(createOutbound({ allowedHosts: [server.host], ...options }))
  const answer = await outbound.request({ method: 'GET', url: server.url, limits: LIMITS, ...more })
  const chunks: Buffer[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return { ...answer, text: Buffer.concat(chunks).toString() }
}

/** With these variables in the environment of the whole process, and without them afterwards. */
async function inEnvironment<T>(variables: Record<string, string>, run: () => Promise<T>): Promise<T> {
  const before = { ...process.env }
  Object.assign(process.env, variables)
  try {
    return await run()
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof OutboundError ? error.reason : error),
  )

/** The addresses to which this process tried to connect meanwhile. */
async function attemptsDuring(run: () => Promise<unknown>): Promise<string[]> {
  const attempts: string[] = []
  const watch = (message: unknown) =>
    (message as { socket: Socket }).socket.on('connectionAttempt', address => attempts.push(address))
  subscribe('net.client.socket', watch)
  try {
    await run()
  } finally {
    unsubscribe('net.client.socket', watch)
  }
  return attempts
}

describe('a call', () => {
  test('brings status, headers and body', async () => {
    const server = keep(
      await serveHttp((req, res) => {
        let body = ''
        req.on('data', chunk => (body += chunk))
        req.on('end', () =>
          res.writeHead(201, { 'x-seen': String(req.headers['x-mine']) }).end(`${req.method} ${req.url} ${body}`),
        )
      }),
    )
    const answer = await get(server, { method: 'POST', url: `${server.url}/a?b`, headers: { 'x-mine': 'yes' }, body: 'hello' })
    expect(answer).toMatchObject({ status: 201, text: 'POST /a?b hello' })
    expect(answer.headers['x-seen']).toBe('yes')
  })

  test('asks for no compression, whatever the caller says', async () => {
    const server = keep(await serveHttp((req, res) => res.end(req.headers['accept-encoding'])))
    expect((await get(server, { headers: { 'accept-encoding': 'gzip' } })).text).toBe('identity')
  })

  test('can be followed by another on the same connection, once read or discarded', async () => {
    const server = keep(await serveHttp((_, res) => res.end('ok')))
    const outbound = keep(createOutbound({ allowedHosts: [server.host] }))
    for (let i = 0; i < 3; i++) {
      const answer = await outbound.request({ method: 'GET', url: server.url, limits: LIMITS })
      answer.discard()
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    expect(server.connections()).toBe(1)
  })

  test('T64 pays no heed to a proxy named in the environment', async () => {
    const proxy = keep(await serveHttp((_, res) => res.end('proxied')))
    const server = keep(await serveHttp((_, res) => res.end('direct')))
    const environment = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NODE_USE_ENV_PROXY: '1', NO_PROXY: '' }
    expect((await inEnvironment(environment, () => get(server))).text).toBe('direct')
    expect(proxy.connections()).toBe(0)
  })

  test('is ended by its caller', async () => {
    const server = keep(await serveHttp(() => {}))
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 30)
    expect(await reasonOf(get(server, { signal: stop.signal }))).toBe('aborted')
  })

  test('with a line break in a header is not made', async () => {
    const server = keep(await serveHttp((_, res) => res.end()))
    await expect(get(server, { headers: { 'x-mine': 'a\r\nHost: evil' } })).rejects.toThrow('invalid')
    expect(server.connections()).toBe(0)
  })
})

describe('the way out', () => {
  test('is closed to an address that is not listed: not one connection is opened', async () => {
    const server = keep(await serveHttp((_, res) => res.end('secret')))
    const outbound = keep(createOutbound({ allowedHosts: [] }))
    for (const host of [
      server.host,
      server.host.replace('127.0.0.1', 'localhost'),
      server.host.replace('127.0.0.1', '[::ffff:7f00:1]'),
    ]) {
      for (const scheme of ['http', 'https']) {
        expect(await reasonOf(outbound.request({ method: 'GET', url: `${scheme}://${host}`, limits: LIMITS }))).toBe(
          'egress_denied',
        )
      }
    }
    expect(server.connections()).toBe(0)
  })

  test('is closed to a name that leads inside: judged when connecting', async () => {
    const inside: LookupFunction = (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])
    const outbound = keep(createOutbound({ allowedHosts: [], lookup: inside }))
    expect(await reasonOf(outbound.request({ method: 'GET', url: 'https://adapter.example/', limits: LIMITS }))).toBe(
      'egress_denied',
    )
    expect(await outbound.examine('https://adapter.example/')).toMatchObject({ allowed: false })
  })

  test('leads to a name that is listed, wherever it resolves to', async () => {
    const server = keep(await serveHttp((req, res) => res.end(req.headers.host)))
    const port = server.host.split(':')[1]
    const lookup: LookupFunction = (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])
    const answer = await get(
      server,
      { url: `http://billing.internal:${port}/` },
      { allowedHosts: [`billing.internal:${port}`], lookup },
    )
    expect(answer.text).toBe(`billing.internal:${port}`)
  })

  test('reports a name that cannot be resolved as a fault that may pass', async () => {
    const lookup: LookupFunction = (_, __, callback) => callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
    const outbound = keep(createOutbound({ allowedHosts: [], lookup }))
    const failure = await outbound
      .request({ method: 'GET', url: 'https://adapter.example/', limits: LIMITS })
      .catch(error => error)
    expect(failure).toMatchObject({ reason: 'connection', retryable: true })
    expect(await outbound.examine('https://adapter.example/')).toEqual({ allowed: false, why: 'the name cannot be resolved' })
  })
})

describe('what a name resolves to', () => {
  const answers = (...addresses: string[]): LookupFunction =>
    checkedLookup((_, __, callback) =>
      callback(
        null,
        addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    )
  const ask = (lookup: LookupFunction, all: boolean) =>
    new Promise((resolve, reject) =>
      lookup('adapter.example', { all }, (error, found, family) =>
        error ? reject(error) : resolve(all ? found : { found, family }),
      ),
    )

  test('passes when all of it is public', async () => {
    expect(await ask(answers('8.8.8.8', '2606:4700::1111'), true)).toHaveLength(2)
    expect(await ask(answers('8.8.8.8'), false)).toEqual({ found: '8.8.8.8', family: 4 })
  })

  test.each([[['10.0.0.5']], [['8.8.8.8', '10.0.0.5']], [['8.8.8.8', 'fd00::1']], [['::ffff:127.0.0.1']]])(
    'T58 is refused for %j',
    async found => {
      await expect(ask(answers(...found), true)).rejects.toMatchObject({ reason: 'egress_denied', retryable: false })
      await expect(ask(answers(...found), false)).rejects.toMatchObject({ reason: 'egress_denied' })
    },
  )

  test('T59 is judged anew at every connection: a name that led outside when it was examined is not followed inside', async () => {
    const sequence = [['8.8.8.8'], ['127.0.0.1'], ['8.8.8.8', '127.0.0.1']]
    const rebinding: LookupFunction = (_, __, callback) =>
      callback(
        null,
        (sequence.shift() ?? []).map(address => ({ address, family: 4 })),
      )
    const outbound = keep(createOutbound({ allowedHosts: [], lookup: rebinding }))
    const url = 'https://adapter.example/'
    const dialled = await attemptsDuring(async () => {
      expect(await outbound.examine(url)).toEqual({ allowed: true })
      for (let n = 0; n < 2; n += 1)
        expect(await reasonOf(outbound.request({ method: 'GET', url, limits: LIMITS }))).toBe('egress_denied')
    })
    expect([dialled, sequence]).toEqual([[], []])
  })

  test('is seen to be dialled where it is listed, as a control to the above', async () => {
    const server = keep(await serveHttp((_, res) => res.end()))
    expect(await attemptsDuring(() => get(server))).toEqual(['127.0.0.1'])
  })
})

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('%i is handed back, not followed', async status => {
    const target = keep(await serveHttp((_, res) => res.end('secret')))
    const server = keep(await serveHttp((_, res) => res.writeHead(status, { location: target.url }).end()))
    expect(await get(server)).toMatchObject({ status, text: '' })
    expect(target.connections()).toBe(0)
  })
})

describe('a limit', () => {
  test('of bytes ends an endless body while it is read', async () => {
    const server = keep(
      await serveHttp((_, res) => {
        const zeros = Buffer.alloc(65_536)
        const more = () => {
          while (!res.destroyed && res.write(zeros));
        }
        res.on('drain', more)
        more()
      }),
    )
    const before = process.memoryUsage().rss
    expect(await reasonOf(get(server, { limits: { ...LIMITS, bytes: 50_000_000 } }).then(a => a.text))).toBe('too_large')
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000)
  })

  test('of bytes refuses a body announced as larger before reading it', async () => {
    const server = keep(await serveHttp((_, res) => res.writeHead(200, { 'content-length': '100001' }).write('x')))
    expect(await reasonOf(get(server))).toBe('too_large')
  })

  test.each(['gzip', 'br', 'deflate', 'gzip, gzip', 'GZIP', 'x-unknown'])(
    'cannot be fooled by Content-Encoding: %s',
    async encoding => {
      const server = keep(
        await serveHttp((_, res) => res.writeHead(200, { 'content-encoding': encoding }).end(gzipSync(Buffer.alloc(1_000_000)))),
      )
      expect(await reasonOf(get(server))).toBe('unsupported_encoding')
    },
  )

  test('of the headers ends a call that only got its connection', async () => {
    const server = keep(await serveBytes('', () => {}))
    expect(await reasonOf(get(server, { limits: { ...LIMITS, headersMs: 100 } }))).toBe('timeout')
  })

  test('of idleness ends a body that stops', async () => {
    const server = keep(await serveHttp((_, res) => res.write('x')))
    expect(await reasonOf(get(server, { limits: { ...LIMITS, idleMs: 100 } }))).toBe('timeout')
  })

  const dripping = (bytes: number) =>
    serveHttp((_, res) => {
      const drip = setInterval(() => res.write('x'.repeat(bytes)), 20)
      res.on('close', () => clearInterval(drip))
    })

  test('of idleness ends a body that only drips, and may be tried again', async () => {
    const server = keep(await dripping(1))
    const failure = await get(server, { limits: { ...LIMITS, idleMs: 200 } }).catch(error => error)
    expect(failure).toMatchObject({ reason: 'timeout', retryable: true, message: expect.stringContaining('drips') })
  })

  test('of idleness does not count how long we take to read, nor ends what is slow and steady', async () => {
    const server = keep(await dripping(600))
    const outbound = keep(createOutbound({ allowedHosts: [server.host] }))
    const limits = { ...LIMITS, idleMs: 200 }
    const answer = await outbound.request({ method: 'GET', url: server.url, limits })
    let [seen, pauses] = [0, 0]
    for await (const chunk of answer.body) {
      seen += chunk.length
      if (pauses++ < 2) await new Promise(resolve => setTimeout(resolve, 300))
      if (seen > 30_000) break
    }
    expect(seen).toBeGreaterThan(30_000)
  })

  test('of the whole call ends a body that never stops', async () => {
    const server = keep(await dripping(1))
    expect(await reasonOf(get(server, { limits: { ...LIMITS, idleMs: 1000, totalMs: 200 } }))).toBe('timeout')
  })

  test('on headers is held', async () => {
    const server = keep(await serveBytes(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`))
    expect(await reasonOf(get(server))).toBe('too_large')
  })
})

describe('a cut or crooked answer', () => {
  test.each([
    ['shorter than it says', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort', 'cut'],
    ['without its last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', 'cut'],
    ['of two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello', 'connection'],
    [
      'of both a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'connection',
    ],
    ['that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'connection'],
    ['that is empty', '', 'connection'],
  ])('%s is never taken for complete', async (_, bytes, reason) => {
    const server = keep(await serveBytes(bytes))
    const failure = await get(server).catch(error => error)
    expect(failure).toMatchObject({ reason, retryable: true })
  })

  test('does not let what follows it pass for the next answer', async () => {
    const server = keep(
      await serveBytes(
        'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil',
        () => {},
      ),
    )
    const outbound = keep(createOutbound({ allowedHosts: [server.host] }))
    const first = await outbound.request({ method: 'GET', url: server.url, limits: LIMITS })
    for await (const chunk of first.body) expect(chunk.toString()).toBe('ok')
    const second = await outbound.request({ method: 'GET', url: server.url, limits: LIMITS })
    for await (const chunk of second.body) expect(chunk.toString()).toBe('ok')
    expect(server.connections()).toBe(2)
  })

  test('that refuses the connection may be asked again', async () => {
    const server = await serveHttp(() => {})
    await server.close()
    expect(await get(server).catch(error => error)).toMatchObject({ reason: 'connection', retryable: true })
  })
})

describe('TLS', () => {
  const over = async (tls: TlsOptions, options: Partial<OutboundOptions> = { ca: [AUTHORITY] }) => {
    const server = keep(
      await listen(createHttpsServer({ key: PRIVATE_KEY, cert: CERTIFICATE, ...tls }, (_, res) => res.end('ok'))),
    )
    return get(server, { url: server.url.replace('http', 'https') }, options)
  }

  test('with a certificate of a known authority is spoken', async () => {
    expect((await over({})).text).toBe('ok')
  })

  test.each([
    ['of an unknown authority', {}, {}],
    ['for another name', { cert: CERTIFICATE_FOR_ANOTHER_NAME }, { ca: [AUTHORITY] }],
    ['that has expired', { cert: EXPIRED_CERTIFICATE }, { ca: [AUTHORITY] }],
    [
      'shown over TLS 1.1',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const,
      { ca: [AUTHORITY] },
    ],
  ])('T65 with a certificate %s is refused', async (_, tls, options) => {
    expect(await over(tls, options).catch(error => error)).toMatchObject({ reason: 'tls', retryable: false })
  })

  test('is never given up for plain http', async () => {
    const server = keep(await serveHttp((_, res) => res.end('plain')))
    const call = get(server, { url: server.url.replace('http', 'https') })
    expect(await call.catch(error => error)).toMatchObject({ reason: 'tls' })
  })

  test('is checked even where the environment says not to', async () => {
    const call = inEnvironment({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, () => over({}, {}))
    expect(await call.catch(error => error)).toMatchObject({ reason: 'tls' })
  })

  test('that stalls in its handshake is ended by the deadline', async () => {
    const server = keep(await listen(createTlsServer({ key: PRIVATE_KEY, cert: CERTIFICATE, pskCallback: undefined })))
    expect(
      await reasonOf(
        get(server, { url: server.url.replace('http', 'https'), limits: { ...LIMITS, totalMs: 200 } }, { ca: [AUTHORITY] }),
      ),
    ).toBe('timeout')
  })
})
