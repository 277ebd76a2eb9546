import { Problem } from '../domain/problem.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import type { Caller } from './caller.ts'

const PROOF_METHODS = ['email_code', 'portal_login', 'service_assertion'] as const
export type ProofMethod = (typeof PROOF_METHODS)[number]

/** What was accepted as showing who somebody is: how, how strongly (1 to 4), and when. The evidence itself is not kept. */
export interface Proof {
  method: ProofMethod
  level: number
  provenAt: Date
}

/** What an internal service says of how it knew the person: it vouches for the way, the strength and the moment. */
export interface Assertion {
  method: string
  level: number
  verifiedAt: Date
}

const LOGIN_FRESH_MS = 15 * 60_000
const ASSERTION_FRESH_MS = 24 * 3_600_000
const SKEW_MS = 60_000
const SECOND_FACTOR = new Set(['mfa', 'otp', 'hwk', 'swk', 'sms', 'fpt', 'face', 'pop'])
const STRONG_CONTEXT = /\b(aal[23]|loa[34]|mfa|multi-?factor|phr|phrh)\b/i

/** A login at the portal as proof: level 2 while it is fresh, level 3 when the issuer says that a second factor was used (RFC 8176). */
export function loginProof(clock: Clock, caller: Caller): Proof | undefined {
  if (caller.kind !== 'portal' || !caller.authTime) return undefined
  const age = realTime(clock).getTime() - caller.authTime.getTime()
  if (age > LOGIN_FRESH_MS || age < -SKEW_MS) return undefined
  const strong = (caller.amr ?? []).some(method => SECOND_FACTOR.has(method)) || STRONG_CONTEXT.test(caller.acr ?? '')
  return { method: 'portal_login', level: strong ? 3 : 2, provenAt: caller.authTime }
}

/** A service's assertion as proof, while it is no older than a day. @throws Problem `not_allowed`, `unprocessable` */
export function assertionProof(clock: Clock, caller: Caller, assertion: Assertion): Proof {
  if (caller.kind !== 'service') throw new Problem('not_allowed', 'Only services vouch for a person.')
  const age = realTime(clock).getTime() - assertion.verifiedAt.getTime()
  if (age < -SKEW_MS || age > ASSERTION_FRESH_MS)
    throw new Problem('unprocessable', undefined, {
      errors: [{ pointer: '/assurance/verifiedAt', detail: 'The person must have been verified within the last 24 hours.' }],
    })
  return { method: 'service_assertion', level: assertion.level, provenAt: assertion.verifiedAt }
}
