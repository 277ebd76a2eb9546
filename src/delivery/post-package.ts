import { parseRetryAfter } from '../adapters/retry.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { digestField, signMessage } from '../platform/message-signature.ts'
import { type Outbound, OutboundError } from '../platform/outbound.ts'
import type { Vault } from '../platform/vault.ts'
import { type OpenDeps, openPackage } from './download.ts'
import type { SealedPackage } from './packages.store.ts'

export interface PostDeps extends OpenDeps {
  read: Tx
  clock: Clock
  vault: Vault
  outbound: Pick<Outbound, 'request'>
}

/** What an attempt came to. Only what was confirmed is `delivered`; `problem` is a code, fit for the record. */
export type Posted =
  | { kind: 'delivered' }
  | { kind: 'refused' | 'failed' | 'stopped'; problem: string }
  | { kind: 'later'; problem: string; afterSeconds?: number }

interface Post {
  /** The same for every attempt, by which the receiver knows a repetition. */
  key: string
  endpoint: string
  signal?: AbortSignal
  limits?: PostLimits
}

/** Milliseconds; and bytes a second below which a receiver is too slow to be waited for. */
interface PostLimits {
  headersMs: number
  leastBytesPerSecond: number
}

const LIMITS: PostLimits = { headersMs: 60_000, leastBytesPerSecond: 64 * 1024 }
const ANSWER_BYTES = 64 * 1024

/**
 * Posts a package to a receiver, decrypted as it is read, in constant memory. The digest of the whole is known from its sealing: it
 * stands in the headers and under the signature, so that nothing has to be read twice to be signed.
 */
export async function postPackage(
  deps: PostDeps,
  sealed: SealedPackage,
  { key, endpoint, signal, limits = LIMITS }: Post,
): Promise<Posted> {
  const body = await openPackage(deps, sealed, { start: 0, end: sealed.bytes - 1 })
  body.on('error', () => {}) // the call that reads it fails with it
  const digest = digestField(sealed.sha256)
  const headers = {
    'content-type': 'application/zip',
    'content-length': String(sealed.bytes),
    'content-digest': digest,
    'repr-digest': digest,
    'idempotency-key': key,
  }
  const { headersMs, leastBytesPerSecond } = limits
  try {
    const answer = await deps.outbound.request({
      method: 'POST',
      url: endpoint,
      headers: { ...headers, ...signMessage(deps.vault, { method: 'POST', url: endpoint, headers }, realTime(deps.clock)) },
      body,
      limits: {
        ...{ headersMs, idleMs: headersMs, bytes: ANSWER_BYTES },
        totalMs: 2 * headersMs + (1000 * sealed.bytes) / leastBytesPerSecond,
      },
      ...(signal && { signal }),
    })
    answer.discard()
    return judge(answer.status, parseRetryAfter(answer.headers['retry-after'], realTime(deps.clock)))
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    if (error.reason === 'aborted') return { kind: 'stopped', problem: 'stopped' }
    return { kind: error.retryable ? 'later' : 'failed', problem: error.reason }
  } finally {
    body.destroy()
  }
}

const TRY_AGAIN: ReadonlySet<number> = new Set([408, 425, 429])

/** A redirect is not followed: who registered the receiver said where it is. */
function judge(status: number, afterSeconds: number | undefined): Posted {
  const problem = `status_${status}`
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (status >= 500 || TRY_AGAIN.has(status))
    return { kind: 'later', problem, ...(afterSeconds !== undefined && { afterSeconds }) }
  return { kind: status >= 400 ? 'refused' : 'failed', problem: status >= 400 ? problem : 'redirected' }
}
