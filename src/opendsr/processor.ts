import type { CallLimits } from '../adapters/call-limits.ts'
import { AdapterFault } from '../adapters/fault.ts'
import type { Contact } from '../adapters/fetch-manifest.ts'
import { readWhole } from '../adapters/read-json.ts'
import { parseRetryAfter } from '../adapters/retry.ts'
import { parseStatement } from '../adapters/strict-json.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import type { Outbound, OutboundAnswer } from '../platform/outbound.ts'
import { credentialHeaders } from './credentials.ts'
import { type Known, readSettings } from './settings.ts'

export interface ProcessorDeps {
  outbound: Pick<Outbound, 'request' | 'examine'>
  clock: Clock
}

type Limits = Pick<CallLimits, 'headersMs' | 'idleMs' | 'totalMs'>

/** One processor, during one call. */
export interface Processor extends Known {
  baseUrl: string
  /** With our credentials, which go to the origin of the base URL and wherever the profile says. */
  ask(
    url: string,
    with_?: { method?: 'GET' | 'POST' | 'DELETE'; body?: unknown; bytes?: number; isOpen?: boolean },
  ): Promise<OutboundAnswer>
  /** What its last answer asked us to wait. */
  afterSeconds(): number | undefined
}

const DEPTH = 32
const JSON_BYTES = 1024 ** 2

/** @throws Problem `manifest_refused` */
export function openProcessor(
  { outbound, clock }: ProcessorDeps,
  contact: Contact,
  { limits, signal }: { limits: Limits; signal?: AbortSignal | undefined },
): Processor {
  const known = readSettings(contact)
  const { headersMs, idleMs, totalMs } = limits
  let afterSeconds: number | undefined
  return {
    ...known,
    baseUrl: contact.baseUrl,
    afterSeconds: () => afterSeconds,
    async ask(url, { method = 'GET', body, bytes = JSON_BYTES, isOpen = false } = {}) {
      const answer = await outbound.request({
        method,
        url,
        headers: {
          accept: 'application/json, */*;q=0.1',
          ...(!isOpen && credentialHeaders(known.profile.auth, contact.credentials)),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        limits: { headersMs, idleMs, totalMs, bytes },
        ...(signal && { signal }),
      })
      afterSeconds = parseRetryAfter(answer.headers['retry-after'], realTime(clock))
      return answer
    },
  }
}

/** An address under a base URL, which may have a path of its own. */
export function addressOf(baseUrl: string, path: string, { slash = false } = {}): string {
  const url = new URL(baseUrl)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}${slash ? '/' : ''}`
  url.search = url.hash = ''
  return url.href
}

/** The media type is not looked at: not all of them call their JSON JSON. @throws AdapterFault */
export const readJson = async ({ body }: OutboundAnswer, where: string): Promise<unknown> =>
  parseStatement(await readWhole(body, { jsonBytes: JSON_BYTES }), DEPTH, where)

/** Whether an address belongs to the processor itself. @throws AdapterFault `location_refused` for what is no address */
export function isOwn(baseUrl: string, address: string): boolean {
  const url = URL.parse(address)
  if (!url || url.username || url.password) throw new AdapterFault('location_refused', 'what should be an address is none')
  return url.origin === new URL(baseUrl).origin
}
