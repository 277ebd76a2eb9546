import { types } from 'node:util'
import type { FastifyError } from 'fastify'
import { Problem, type ProblemCode } from '../domain/problem.ts'
import { BadCursor } from '../platform/cursor.ts'
import { KeyConflict } from '../platform/idempotency.ts'
import { faultsOf } from './validation.ts'

/** What the caller is told about anything that was thrown: what we mean to say, and for all else a bare `internal`. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof KeyConflict)
    return new Problem(error.reason, undefined, error.reason === 'in_progress' ? { retryAfter: 1 } : {})
  if (error instanceof BadCursor) {
    return new Problem('invalid_request', undefined, { errors: [{ pointer: '/cursor', detail: `is ${error.message}` }] })
  }
  if (isPassing(error)) return new Problem('unavailable', undefined, { retryAfter: 5 })
  return fromFramework(Object(error) as FastifyError) ?? new Problem('internal')
}

const BY_STATUS: Record<number, ProblemCode> = {
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
  503: 'unavailable',
}

/** Fastify's own errors bear a code; a status on anybody else's error says nothing about our caller. */
function fromFramework({ validation, validationContext, code, statusCode }: FastifyError): Problem | undefined {
  if (validation) return new Problem('invalid_request', undefined, { errors: faultsOf(validation, validationContext) })
  if (typeof code !== 'string' || !code.startsWith('FST_') || statusCode === undefined) return undefined
  return BY_STATUS[statusCode]
    ? new Problem(BY_STATUS[statusCode])
    : statusCode < 500
      ? new Problem('invalid_request')
      : undefined
}

/**
 * PostgreSQL being away, overloaded or held up, which passes by itself: connection exceptions, insufficient resources,
 * shutdown, lock not available, statement and idle timeouts, serialization failure, deadlock, a standby not yet promoted.
 */
const PASSING_SQLSTATE = /^(08\w{3}|53\w{3}|57P0[1-3]|57014|55P03|25P03|40001|40P01|25006)$/
const PASSING_SOCKET = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN'])

/** What the driver says without a code. */
const PASSING_MESSAGE =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/

function isPassing(error: unknown): boolean {
  if (!types.isNativeError(error)) return false
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && (PASSING_SQLSTATE.test(code) || PASSING_SOCKET.has(code))) return true
  return PASSING_MESSAGE.test(error.message) || isPassing((error as { driverError?: unknown }).driverError)
}
