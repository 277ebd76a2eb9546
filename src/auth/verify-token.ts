import jwt from 'jsonwebtoken'
import { type Clock, realTime } from '../platform/clock.ts'
import type { Caller } from './caller.ts'
import { KEY_SET_TIMING, type KeySetTiming, type KeySource, keysOf } from './issuer-keys.ts'
import { type Algorithm, type Issuer, maxAgeOf } from './issuers.ts'
import { readCaller } from './read-caller.ts'
import { type Claims, type Header, readToken } from './token.ts'
import { TokenRefused } from './token-refused.ts'

/** Who a bearer token speaks for. @throws TokenRefused, KeysUnavailable */
export type Verifier = (token: string) => Promise<Caller>

/** Seconds that clocks may differ. */
const LEEWAY = 60

interface Trusted {
  issuer: Issuer
  keyFor: KeySource
}

/**
 * Verifies access tokens of several issuers (RFC 8725, RFC 9068). What the token says of itself only chooses among the
 * configured rules, and each issuer's rules are its own: a good token of one is nothing to another.
 */
export function createVerifier(deps: { issuers: readonly Issuer[]; clock: Clock; keySetTiming?: KeySetTiming }): Verifier {
  const trusted = deps.issuers.map(issuer => ({ issuer, keyFor: keysOf(issuer, deps.keySetTiming ?? KEY_SET_TIMING) }))
  return async token => {
    const { header, claims } = readToken(token)
    const { issuer, keyFor } = choose(trusted, claims)
    checkHeader(issuer, header)
    refuseIdToken(claims)
    verifySignature(token, await keyFor(header), issuer, Math.floor(realTime(deps.clock).getTime() / 1000))
    return readCaller(issuer, claims)
  }
}

/** A token that names two of our audiences could mean two kinds of caller: it means none. */
function choose(trusted: readonly Trusted[], { iss, aud }: Claims): Trusted {
  const named = trusted.filter(({ issuer }) => issuer.issuer === iss)
  if (named.length === 0) throw new TokenRefused('unknown_issuer')
  const [meant, ...others] = named.filter(({ issuer }) => [aud].flat().includes(issuer.audience))
  if (!meant || others.length > 0) throw new TokenRefused('audience_refused')
  return meant
}

function checkHeader({ algorithms, tokenType = 'at+jwt' }: Issuer, { alg, typ }: Header): void {
  if (!algorithms.includes(alg as Algorithm)) throw new TokenRefused('algorithm_refused')
  if (mediaType(typ ?? '') !== mediaType(tokenType)) throw new TokenRefused('type_refused')
}

/** RFC 7515, 4.1.9: a media type without case, whose `application/` may be left out. */
const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\//, '')

/** For issuers that give every token the same `typ`: these claims bear ID, refresh and logout tokens, never access tokens. */
function refuseIdToken({ typ, at_hash, c_hash, events }: Claims): void {
  const other = typeof typ === 'string' && typ.toLowerCase() !== 'bearer'
  if (other || at_hash !== undefined || c_hash !== undefined || events !== undefined) throw new TokenRefused('type_refused')
}

function verifySignature(token: string, key: jwt.Secret, issuer: Issuer, now: number): void {
  let issuedAt = 0
  try {
    const verified = jwt.verify(token, key, {
      algorithms: [...issuer.algorithms],
      issuer: issuer.issuer,
      audience: issuer.audience,
      maxAge: maxAgeOf(issuer),
      clockTimestamp: now,
      clockTolerance: LEEWAY,
    })
    issuedAt = typeof verified === 'string' ? Number.NaN : (verified.iat ?? Number.NaN)
  } catch (error) {
    throw new TokenRefused(reasonOf(error))
  }
  if (!(issuedAt <= now + LEEWAY)) throw new TokenRefused('not_yet_valid') // the library does not look at a late `iat`
}

function reasonOf(error: unknown) {
  if (error instanceof jwt.NotBeforeError) return 'not_yet_valid'
  if (!(error instanceof jwt.TokenExpiredError)) return 'signature_refused'
  return error.message === 'maxAge exceeded' ? 'too_old' : 'expired'
}
