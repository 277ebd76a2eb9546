import { constants, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type Loopback, serveHttp } from './loopback.ts'
import { type Issued, issue, type Wanted } from './x509.ts'

/** A subject request as a processor was sent it. */
export interface Sent {
  subject_request_id: string
  subject_request_type: string
  subject_identities: unknown
  status_callback_urls?: string[]
  [member: string]: unknown
}

interface Kept {
  sent: Sent
  status: string
  more: Record<string, unknown>
}

/** What one processor does otherwise than another. */
export interface Manners {
  requestsPath: string
  slash?: boolean
  authorization: string
  identities: 'array' | 'map'
  headerPrefix?: string
  domain: string
  /** Undefined where it signs nothing. */
  padding?: number
  words: { pending: string; in_progress: string; completed: string; cancelled: string }
  types: unknown
  supported: { identity_type: string; identity_format?: string }[]
  error(status: number, code: string, message: string): [number, unknown]
  /** What it answers of a request that it does not know. */
  unknown: [number, string, string]
  duplicate: [number, string, string]
  resultsPath?: string
}

export interface Call {
  method: string
  path: string
  body: Sent | undefined
}

/** A processor written from the specification and its vendor's documents; nothing of ours is in it. */
export interface Processor extends Loopback {
  baseUrl: string
  domain: string
  calls: Call[]
  requests: Map<string, Kept>
  /** The only request it has been sent, or the latest. */
  latest(): Kept
  /** Changes how far it is with a request. */
  set(id: string, status: keyof Manners['words'], more?: Record<string, unknown>): void
  /** What is at an address below its base. */
  files: Map<string, { status: number; type?: string; body?: string }>
  /** Answers the next calls of this method instead. */
  instead: ((req: IncomingMessage, res: ServerResponse) => boolean)[]
  /** The headers and the body of a call back, as it signs them. */
  signed(
    body: string,
    more?: { by?: Issued; domain?: string; padding?: number },
  ): { headers: Record<string, string>; body: string }
  told(id: string): string
  certificate: Issued
  authority: Issued
  /** Of the file at its certificate address. */
  served: { pem: string; address?: string }
}

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const STANDARD_WORDS = { pending: 'pending', in_progress: 'in_progress', completed: 'completed', cancelled: 'cancelled' }
const wrapped: Manners['error'] = (status, reason, message) => [
  status,
  { error: { code: status, message, errors: [{ domain: 'Validation', reason, message }] } },
]
const bare: Manners['error'] = (status, reason, message) => [status, { code: status, message, errors: [{ reason, message }] }]

/** Of all of them. */
const authority = issue('Test Root', { isAuthority: true })

export async function openProcessor(manners: Manners, wanted: Wanted = {}): Promise<Processor> {
  const certificate = issue('processor', { domains: [manners.domain], ...wanted }, authority)
  const requests = new Map<string, Kept>()
  const calls: Call[] = []
  const files: Processor['files'] = new Map()
  const instead: Processor['instead'] = []
  const served: Processor['served'] = { pem: certificate.pem }
  const prefix = manners.headerPrefix ?? 'X-OpenDSR'

  const signed: Processor['signed'] = (body, { by = certificate, domain = manners.domain, padding = manners.padding } = {}) => {
    const key = { key: by.key, padding: padding ?? constants.RSA_PKCS1_PADDING }
    const signature = sign('sha256', Buffer.from(body), key).toString('base64')
    return { headers: { [`${prefix}-Processor-Domain`]: domain, [`${prefix}-Signature`]: signature }, body }
  }
  const answer = (res: ServerResponse, status: number, json: unknown) => {
    const body = JSON.stringify(json)
    const headers = manners.padding === undefined ? {} : signed(body).headers
    res.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers }).end(body)
  }
  const refuse = (res: ServerResponse, [status, code, message]: [number, string, string]) =>
    answer(res, ...manners.error(status, code, message))
  const statusOf = (id: string, { status, more }: Kept) => ({
    controller_id: 'controller-1',
    expected_completion_time: '2027-01-01T00:00:00Z',
    subject_request_id: id,
    request_status: status,
    ...more,
  })

  const collection = `/v9/${manners.requestsPath}${manners.slash ? '/' : ''}`
  function take(res: ServerResponse, sent: Sent): unknown {
    const wrong = faultIn(manners, sent)
    if (wrong) return refuse(res, [400, 'IllegalArgumentException', wrong])
    if (requests.has(sent.subject_request_id)) return refuse(res, manners.duplicate)
    requests.set(sent.subject_request_id, { sent, status: manners.words.pending, more: {} })
    return answer(res, 201, {
      controller_id: 'controller-1',
      expected_completion_time: '2027-01-01T00:00:00Z',
      received_time: '2026-11-20T00:00:00Z',
      encoded_request: Buffer.from(JSON.stringify(sent)).toString('base64'),
      subject_request_id: sent.subject_request_id,
    })
  }

  const server = await serveHttp(async (req, res) => {
    const body = await text(req)
    const [method = '', path = ''] = [req.method, req.url]
    calls.push({ method, path, body: body ? JSON.parse(body) : undefined })
    if (instead[0]?.(req, res)) return instead.shift()
    if (path === '/v9/cert.pem') return res.writeHead(200, { 'content-type': 'text/plain' }).end(served.pem)
    if (path === `/v9/discovery${manners.slash ? '/' : ''}`)
      return answer(res, 200, {
        api_version: '2.0',
        supported_identities: manners.supported,
        supported_subject_request_types: manners.types,
        ...(manners.padding !== undefined && { processor_certificate: served.address ?? `${server.url}/v9/cert.pem` }),
      })
    if (req.headers.authorization !== manners.authorization) return refuse(res, [401, 'Unauthorized', 'Who are you?'])
    const file = files.get(path)
    if (file) return res.writeHead(file.status, { 'content-type': file.type ?? 'application/json' }).end(file.body ?? '')
    if (method === 'POST' && path === collection) return take(res, JSON.parse(body))
    const id = path.startsWith(`/v9/${manners.requestsPath}/`) ? path.slice(`/v9/${manners.requestsPath}/`.length) : ''
    const kept = requests.get(id)
    if (method === 'GET' && kept) return answer(res, 200, statusOf(id, kept))
    if (method === 'DELETE' && kept?.status === manners.words.pending) {
      kept.status = manners.words.cancelled
      return res.writeHead(202, { 'content-type': 'text/plain' }).end('accepted')
    }
    if (method === 'DELETE' && kept) return refuse(res, [400, 'e211', 'Unable to cancel request with invalid status'])
    return refuse(res, manners.unknown)
  })
  const kept = (id: string): Kept => requests.get(id) ?? fail(id)
  return {
    ...server,
    baseUrl: `${server.url}/v9`,
    domain: manners.domain,
    ...{ calls, requests, files, instead, signed, certificate, authority, served },
    latest: () => [...requests.values()].at(-1) ?? fail('any'),
    set(id, status, more = {}) {
      requests.set(id, { ...kept(id), status: manners.words[status], more })
    },
    told: id => JSON.stringify({ ...statusOf(id, kept(id)), status_callback_url: kept(id).sent.status_callback_urls?.[0] }),
  }
}

const fail = (id: string): never => {
  throw new Error(`It was not sent request '${id}'.`)
}

/** What such a processor would refuse. */
function faultIn({ identities, supported }: Manners, sent: Sent): string | undefined {
  if (!UUID_V4.test(sent.subject_request_id)) return 'subject_request_id'
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(sent.submitted_time))) return 'submitted_time'
  const types =
    identities === 'map'
      ? Object.keys(sent.subject_identities as object)
      : (sent.subject_identities as { identity_type: string }[]).map(one => one.identity_type)
  if (Array.isArray(sent.subject_identities) !== (identities === 'array') || types.length === 0) return 'subject_identities'
  return types.some(type => !supported.some(one => one.identity_type === type)) ? 'identity_type' : undefined
}

/** OpenDSR 2.0 to the letter. */
export const SPECIFIED: Manners = {
  requestsPath: 'requests',
  authorization: 'Bearer t-1',
  identities: 'array',
  domain: 'opendsr.processor.example',
  padding: constants.RSA_PKCS1_PADDING,
  words: STANDARD_WORDS,
  types: ['access', 'portability', 'erasure'],
  supported: [
    { identity_type: 'controller_customer_id', identity_format: 'raw' },
    { identity_type: 'email', identity_format: 'raw' },
    { identity_type: 'email', identity_format: 'sha256' },
  ],
  error: wrapped,
  unknown: [404, 'NotFound', 'No such request.'],
  duplicate: [400, 'IllegalArgumentException', 'Subject request already exists.'],
}

/** As the library for Go has it: version 1, and the other padding. */
export const LIKE_GO: Manners = {
  ...SPECIFIED,
  requestsPath: 'opengdpr_requests',
  headerPrefix: 'X-OpenGDPR',
  domain: 'opengdpr.processor.example',
  padding: constants.RSA_PKCS1_PSS_PADDING,
  types: ['erasure'],
  error: bare,
}

export const LIKE_MPARTICLE: Manners = {
  ...SPECIFIED,
  slash: true,
  authorization: `Basic ${Buffer.from('key:secret').toString('base64')}`,
  identities: 'map',
  error: bare,
  supported: [{ identity_type: 'controller_customer_id' }, { identity_type: 'email' }],
}

const unwrappedCode: Manners['error'] = (status, code, message) => [
  status,
  { error: { code: status, message, af_gdpr_code: code } },
]

export const LIKE_APPSFLYER: Manners = {
  ...SPECIFIED,
  requestsPath: 'opendsr_requests',
  domain: 'hq1.appsflyer.example',
  words: { ...STANDARD_WORDS, in_progress: 'in-progress', cancelled: 'canceled' },
  types: 'access,portability,erasure,rectification',
  supported: [{ identity_type: 'customer_user_id', identity_format: 'raw' }],
  error: unwrappedCode,
  unknown: [400, 'e214', 'Request not found'],
  duplicate: [400, 'e213', 'Request already exists'],
}

const { padding: _, ...UNSIGNED } = SPECIFIED
export const LIKE_SINGULAR: Manners = {
  ...UNSIGNED,
  authorization: 'api-key-1',
  types: ['erasure', 'access'],
  supported: [{ identity_type: 'user_id', identity_format: 'raw' }],
}
