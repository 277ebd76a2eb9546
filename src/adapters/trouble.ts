import { OutboundError } from '../platform/outbound.ts'
import type { Answer } from './answer.ts'
import { AdapterFault } from './fault.ts'

/** What a call that came to nothing means for its task. @throws whatever is our own trouble */
export function troubleWith(error: unknown, afterSeconds?: number): Extract<Answer, { kind: 'later' | 'failed' }> {
  if (!(error instanceof OutboundError || error instanceof AdapterFault)) throw error
  const code = error instanceof AdapterFault ? error.code : error.reason
  const detail = error instanceof AdapterFault ? error.detail : 'the call did not come to its end'
  if (!error.retryable) return { kind: 'failed', code, detail }
  return { kind: 'later', code, detail, ...(afterSeconds !== undefined && { afterSeconds }) }
}

/** What is not there, or not any more. */
export const LOST: ReadonlySet<number> = new Set([404, 410])

/** What no protocol lists is a fault, never "no data": a login page, a lost route, a redirect. */
export function faultOf(status: number): AdapterFault {
  const answered = `the call was answered with ${status}`
  if (status === 429 || status === 503) return new AdapterFault('busy', answered)
  if (status === 408 || status >= 500) return new AdapterFault('server_error', answered)
  if (status >= 300 && status < 400) return new AdapterFault('redirected', answered)
  const isRefusal = status >= 400 && !LOST.has(status)
  return new AdapterFault(isRefusal ? 'refused' : 'unexpected_status', answered)
}
