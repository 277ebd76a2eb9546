import { Problem } from '../domain/problem.ts'
import type { Right } from '../domain/rights.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import { type Ladder, loginMinutes } from '../policy/ladder.ts'
import type { Caller } from './caller.ts'

const PROOF_METHODS = ['signed_link', 'email_code', 'portal_login', 'service_assertion', 'support_check', 'mandate'] as const
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

const MINUTE_MS = 60_000
const SKEW_MS = 60_000
const SECOND_FACTOR = new Set(['mfa', 'otp', 'hwk', 'swk', 'sms', 'fpt', 'face', 'pop'])
/** By its last part alone, so that `…:no-mfa` is none; as OpenID Connect, NIST, REFEDS and eIDAS-like schemes name them. */
const STRONG_CONTEXT = /^(?:.*[/:#])?(aal[23]|loa[34]|mfa|multi-?factor|phrh?)$/i

export interface AssuranceDeps {
  clock: Clock
  policy: { assurance: Ladder }
}

/**
 * A login at the portal as proof, while it is as fresh as the policy wants it for the right; worth more when the issuer says that a
 * second factor was used (RFC 8176).
 */
export function loginProof({ clock, policy: { assurance } }: AssuranceDeps, right: Right, caller: Caller): Proof | undefined {
  if (caller.kind !== 'portal' || !caller.authTime) return undefined
  const age = realTime(clock).getTime() - caller.authTime.getTime()
  if (age > loginMinutes(assurance, right) * MINUTE_MS || age < -SKEW_MS) return undefined
  const strong = (caller.amr ?? []).some(method => SECOND_FACTOR.has(method)) || STRONG_CONTEXT.test(caller.acr ?? '')
  const { level, withSecondFactor } = assurance.methods.portal_login
  return { method: 'portal_login', level: strong ? withSecondFactor : level, provenAt: caller.authTime }
}

/**
 * A service's assertion as proof, while it is fresh. It is worth what the service says, up to what the policy takes from services.
 * @throws Problem `not_allowed`, `unprocessable`
 */
export function assertionProof({ clock, policy }: AssuranceDeps, caller: Caller, assertion: Assertion): Proof {
  if (caller.kind !== 'service') throw new Problem('not_allowed', 'Only services vouch for a person.')
  const { atMost, freshMinutes } = policy.assurance.methods.service_assertion
  const age = realTime(clock).getTime() - assertion.verifiedAt.getTime()
  if (age < -SKEW_MS || age > freshMinutes * MINUTE_MS)
    throw new Problem('unprocessable', undefined, {
      errors: [
        {
          pointer: '/assurance/verifiedAt',
          detail: `The person must have been verified within the last ${freshMinutes} minutes.`,
        },
      ],
    })
  return { method: 'service_assertion', level: Math.min(assertion.level, atMost), provenAt: assertion.verifiedAt }
}
