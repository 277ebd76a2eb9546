import pg from 'pg'
import type { Answer, Trouble } from '../adapters/answer.ts'
import { AdapterFault } from '../adapters/fault.ts'
import { OutboundError } from '../platform/outbound.ts'

/** SQLSTATE, or the beginning of one, and what it comes to. Whatever is not here is looked at by a person. */
const STATES: readonly (readonly [string, Trouble, 'later' | 'failed', string])[] = [
  ['57014', 'timeout', 'later', 'a statement took too long'],
  ['55P03', 'busy', 'later', 'somebody else holds a lock'],
  ['40', 'busy', 'later', 'it was done at the same time as something else'],
  ['53', 'busy', 'later', 'the database is short of something'],
  ['57P', 'busy', 'later', 'the database is being stopped or started'],
  ['25P', 'timeout', 'later', 'a transaction was idle for too long'],
  ['08', 'connection', 'later', 'the connection was lost'],
  ['28', 'refused', 'failed', 'the database does not let this role in'],
  ['3D', 'refused', 'failed', 'there is no such database'],
  ['42501', 'refused', 'failed', 'the role lacks a right, or row security would hide rows from it'],
  ['42', 'not_valid', 'failed', 'the database is no longer what the description says'],
  ['25006', 'refused', 'failed', 'the database only lets us read'],
]

const TLS = /certificate|SSL|TLS|altname|self-signed/i

/**
 * What an error of asking a database comes to. What the database said is not told: it quotes rows.
 * @throws what is neither the database's nor the network's
 */
export function answerTo(error: unknown): Answer {
  if (error instanceof AdapterFault) return troubled(error.code, error.retryable, error.detail)
  if (error instanceof OutboundError) return troubled(error.reason, error.retryable, 'the database could not be reached')
  if (error instanceof pg.DatabaseError) {
    const [, code = 'not_valid', kind = 'failed', detail = 'the database refused a statement'] =
      STATES.find(([state]) => error.code?.startsWith(state)) ?? []
    return { kind, code, detail: `${detail} (${error.code})` }
  }
  const lost =
    error instanceof Error && ('syscall' in error || /^(Connection terminated|timeout expired|ended$)/.test(error.message))
  if (lost) return { kind: 'later', code: 'connection', detail: 'the connection could not be made, or was lost' }
  const isTls = error instanceof Error && TLS.test(`${(error as { code?: string }).code} ${error.message}`)
  if (isTls) return { kind: 'failed', code: 'tls', detail: 'no encrypted connection to a server of that name' }
  throw error
}

const troubled = (code: Trouble, retryable: boolean, detail: string): Answer => ({
  kind: retryable ? 'later' : 'failed',
  code,
  detail,
})
