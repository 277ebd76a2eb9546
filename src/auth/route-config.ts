import type { ProblemCode } from '../domain/problem.ts'
import { type Caller, ROLES, type Role } from './caller.ts'

/**
 * Who may call a route. Each kind of caller has to be named to get in: a service with its scope, staff with one of the
 * roles. `public` is for what holds nothing of anybody (health, documentation); `signed` for calls that prove
 * themselves by a signature over their body, which the route checks. These two stand alone and no token is looked at.
 */
export interface Allow {
  service?: string
  support_agent?: readonly Role[]
  portal?: true
  anonymous?: true
  public?: true
  signed?: true
}

/** Headers with which a route can answer, besides those that every route can. */
export type SentHeader = 'ETag' | 'Location' | 'Link' | 'Retry-After'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has to say this, or the server does not start. */
    allow?: Allow
    /** The problems this route can answer with, besides those that every route can. They go into the API description. */
    problems?: readonly ProblemCode[]
    /** The headers it sends when it succeeds, for the API description. */
    sends?: readonly SentHeader[]
    /** Codes are tried here, or requests opened by anybody: while there is much guessing, that takes some work. */
    work?: true
    /** A token does this to the same thing once only: `act` sees to it, in the same transaction. */
    oneShot?: true
    /** Services call it on every use of somebody's data: too often to be counted with their other calls, or to be a line in the log. */
    onEveryUse?: true
  }
  interface FastifyRequest {
    caller: Caller
  }
}

const KINDS = ['service', 'support_agent', 'portal', 'anonymous', 'public', 'signed'] as const

/** What is wrong with a declaration, if anything. */
export function faultOf(allow: Allow | undefined): string | undefined {
  const named = KINDS.filter(kind => allow?.[kind] !== undefined)
  if (!allow || named.length === 0) return 'does not say who may call it'
  if ((allow.public || allow.signed) && named.length > 1) return 'is public or signed and names callers as well'
  if (allow.service === '') return 'names no scope for services'
  if (allow.support_agent && !allow.support_agent.some(role => ROLES.includes(role))) return 'names no role for staff'
  return undefined
}

/** Whether a route is open to this caller. */
export function admits(allow: Allow, caller: Caller): boolean {
  if (allow.public || allow.signed) return true
  if (caller.kind === 'service') return allow.service !== undefined && caller.scopes.has(allow.service)
  if (caller.kind === 'support_agent') return allow.support_agent?.some(role => caller.roles.has(role)) ?? false
  return allow[caller.kind] === true
}
