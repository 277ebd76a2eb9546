import { realTime } from '../platform/clock.ts'
import { OutboundError } from '../platform/outbound.ts'
import { type CallDeps, locationOf } from './call-adapter.ts'
import { AdapterFault } from './fault.ts'
import type { Contact } from './fetch-manifest.ts'
import { signCall } from './signing.ts'

/** Of a promised answer: the adapter has given it up or knows it no more; it goes on with it; or it could not be told. */
export type Cancelled = 'given_up' | 'goes_on' | 'not_reached'

export interface CancelCall extends Contact {
  /** The id by which the adapter knows the task. */
  taskId: string
  location: string
}

const LIMITS = { headersMs: 10_000, idleMs: 10_000, totalMs: 20_000, bytes: 64 * 1024 }

/** Tells an adapter that a promised answer is not needed any more (`DELETE` of its location). */
export async function cancelTask(
  { outbound, clock }: CallDeps,
  call: Omit<CancelCall, 'credentials' | 'settings'>,
): Promise<Cancelled> {
  try {
    const url = locationOf(call, call.location)
    const headers = { accept: 'application/json', ...signCall(call.secrets, call.taskId, realTime(clock), '') }
    const { status, discard } = await outbound.request({ method: 'DELETE', url, headers, limits: LIMITS })
    discard()
    if (status === 408 || status === 429 || status >= 500) return 'not_reached'
    return status < 300 || status === 404 || status === 410 ? 'given_up' : 'goes_on'
  } catch (error) {
    if (!(error instanceof OutboundError || error instanceof AdapterFault)) throw error
    return error.retryable ? 'not_reached' : 'goes_on'
  }
}
