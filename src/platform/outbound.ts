import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import { promisify, types } from 'node:util'
import { Agent, buildConnector, type Dispatcher, request } from 'undici'
import { decideAddress, decideUrl, type EgressPolicy, egressPolicy, isListed, type Verdict } from './egress-policy.ts'

/** What a call may cost before it is ended: milliseconds and bytes. */
export interface OutboundLimits {
  /** Until the answer's headers have come. */
  headersMs: number
  /** Spent waiting for a KiB of the body: what drips is as good as silent. */
  idleMs: number
  /** From the call to the body's last byte. */
  totalMs: number
  bytes: number
}

export interface OutboundCall {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  headers?: Readonly<Record<string, string>>
  /** A stream needs its `content-length` among the headers: with fewer or more bytes the call fails. */
  body?: string | Buffer | Readable
  limits: OutboundLimits
  signal?: AbortSignal
}

export interface OutboundAnswer {
  status: number
  /** Lower-case names; what was sent twice is joined by a comma. */
  headers: Readonly<Record<string, string | undefined>>
  /** To be read once or discarded. Throws OutboundError when the call exceeds a limit or is cut. */
  body: AsyncIterable<Buffer>
  discard(): void
}

export interface Outbound {
  /** @throws OutboundError */
  request(call: OutboundCall): Promise<OutboundAnswer>
  /** Judges a URL, and what its name resolves to right now, without calling it. */
  examine(url: string): Promise<Verdict>
  /** Whether the operator lists this URL's host and port as a place where adapters keep files. */
  keepsFiles(url: URL): boolean
  close(): Promise<void>
}

const RETRYABLE = {
  egress_denied: false,
  timeout: true,
  too_large: false,
  unsupported_encoding: false,
  connection: true,
  tls: false,
  cut: true,
  aborted: true,
} as const
export type OutboundReason = keyof typeof RETRYABLE

/** Why a call came to nothing. The message holds neither address nor content. */
export class OutboundError extends Error {
  readonly reason: OutboundReason
  readonly retryable: boolean

  constructor(reason: OutboundReason, detail: string, options?: ErrorOptions) {
    super(`${reason}: ${detail}`, options)
    this.name = 'OutboundError'
    this.reason = reason
    this.retryable = RETRYABLE[reason]
  }
}

export interface OutboundOptions {
  /** Exact `host:port` pairs that may be private and may speak plain http. */
  allowedHosts: readonly string[]
  /** The same, where adapters may keep files for us to fetch. */
  fileHosts?: readonly string[]
  /** Further certificate authorities (PEM), beside those of the runtime. */
  ca?: string[]
  lookup?: LookupFunction
}

/**
 * The only way out to addresses that others chose. Follows no redirect, takes no proxy from the environment,
 * asks for no compression (a limit counted on compressed bytes limits nothing) and opens connections to public
 * addresses only, judged at the moment of connecting, so that a name cannot be re-pointed after its check.
 */
export function createOutbound({ allowedHosts, fileHosts = [], ca, lookup = systemLookup }: OutboundOptions): Outbound {
  const policy = egressPolicy([...allowedHosts, ...fileHosts])
  const stores = egressPolicy(fileHosts)
  const agent = new Agent({ connect: guardedConnector(policy, lookup, ca), allowH2: false })
  const guarded = promisify(checkedLookup(lookup))
  return {
    keepsFiles: url => isListed(stores, url),
    close: () => agent.destroy(),
    request: call => send(agent, policy, call),
    async examine(url) {
      const verdict = decideUrl(url, policy)
      const target = URL.parse(url)
      if (!verdict.allowed || !target || isListed(policy, target) || isIP(target.hostname.replace(/^\[|\]$/g, ''))) return verdict
      return guarded(target.hostname, { all: true }).then(
        () => verdict,
        (error: Error) => ({
          allowed: false,
          why: error instanceof OutboundError ? 'the name leads to an address that is not public' : 'the name cannot be resolved',
        }),
      )
    },
  }
}

/** A lookup that fails if any address a name resolves to may not be called: a mixed answer is an attempt. */
export function checkedLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
      const first = addresses[0]
      if (!first) return callback(new OutboundError('connection', 'the name has no address'), [])
      if (addresses.some(({ address }) => !decideAddress(address).allowed)) {
        return callback(new OutboundError('egress_denied', 'the name leads to an address that is not public'), [])
      }
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
    })
}

/** Node asks no lookup for an address written as such, hence the second check here. */
function guardedConnector(policy: EgressPolicy, lookup: LookupFunction, ca?: string[]): buildConnector.connector {
  const options = { allowH2: false, rejectUnauthorized: true, minVersion: 'TLSv1.2', timeout: 10_000, ...(ca && { ca }) } as const
  const anywhere = buildConnector({ ...options, lookup })
  const publicOnly = buildConnector({ ...options, lookup: checkedLookup(lookup) })
  return (target, callback) => {
    const url = `${target.protocol}//${target.host ?? target.hostname}`
    const verdict = decideUrl(url, policy)
    if (!verdict.allowed) return callback(new OutboundError('egress_denied', verdict.why), null)
    return (isListed(policy, new URL(url)) ? anywhere : publicOnly)(target, callback)
  }
}

async function send(agent: Dispatcher, policy: EgressPolicy, call: OutboundCall): Promise<OutboundAnswer> {
  const verdict = decideUrl(call.url, policy)
  if (!verdict.allowed) throw new OutboundError('egress_denied', verdict.why)

  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new OutboundError('timeout', 'the whole call took too long')),
    call.limits.totalMs,
  )
  const done = () => clearTimeout(timer)
  try {
    const answer = await request(call.url, {
      dispatcher: agent,
      method: call.method,
      headers: { ...call.headers, 'accept-encoding': 'identity' },
      body: call.body ?? null,
      headersTimeout: call.limits.headersMs,
      bodyTimeout: call.limits.idleMs,
      signal: call.signal ? AbortSignal.any([deadline.signal, call.signal]) : deadline.signal,
    })
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    )
    const objection = objectionTo(headers, call.limits)
    if (objection) {
      answer.body.on('error', () => {}).destroy()
      throw objection
    }
    const discard = () =>
      void answer.body
        .dump({ limit: 65_536 })
        .catch(() => {})
        .finally(done)
    return { status: answer.statusCode, headers, body: limitedBody(answer.body, call, done), discard }
  } catch (error) {
    done()
    throw translated(error, 'connection', call.signal)
  }
}

function objectionTo(headers: OutboundAnswer['headers'], limits: OutboundLimits): OutboundError | undefined {
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    return new OutboundError('unsupported_encoding', 'the body is encoded though identity was asked for')
  }
  if (Number(headers['content-length'] ?? 0) > limits.bytes)
    return new OutboundError('too_large', 'the body is announced as too large')
  return undefined
}

const SILENT_BELOW_BYTES = 1024

/** Only our waiting counts, not how long the reader of the body takes. Complete silence is ended by the client's own timeout. */
async function* limitedBody(
  body: AsyncIterable<Buffer>,
  { limits, signal }: OutboundCall,
  done: () => void,
): AsyncGenerator<Buffer> {
  let [seen, came, waited] = [0, 0, 0]
  let since = performance.now()
  try {
    for await (const chunk of body) {
      seen += chunk.length
      if (seen > limits.bytes) throw new OutboundError('too_large', 'the body is too large')
      came += chunk.length
      waited += performance.now() - since
      if (came >= SILENT_BELOW_BYTES) [came, waited] = [0, 0]
      else if (waited > limits.idleMs) throw new OutboundError('timeout', 'the body only drips')
      yield chunk
      since = performance.now()
    }
  } catch (error) {
    throw translated(error, 'cut', signal)
  } finally {
    done()
  }
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|INVALID_CA|INVALID_PURPOSE|HOSTNAME_)/

/** Names what the HTTP client threw. Our own misuse of it stays what it is: a bug. */
function translated(error: unknown, otherwise: 'connection' | 'cut', signal?: AbortSignal): unknown {
  if (error instanceof OutboundError) return error
  if (signal?.aborted) return new OutboundError('aborted', 'the caller ended the call', { cause: error })
  if (!types.isNativeError(error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  if (code === 'UND_ERR_INVALID_ARG' || code === 'TypeError') return error
  return new OutboundError(reasonFor(code, otherwise), code, { cause: error })
}

function reasonFor(code: string, otherwise: OutboundReason): OutboundReason {
  if (TIMEOUTS.has(code)) return 'timeout'
  if (TLS.test(code)) return 'tls'
  return code === 'UND_ERR_HEADERS_OVERFLOW' ? 'too_large' : otherwise
}
