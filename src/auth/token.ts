import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { repeatsKey } from '../platform/repeated-keys.ts'
import { TokenRefused } from './token-refused.ts'

const LONGEST = 8192
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Keys that the token brings along itself, extensions we do not know, compression (RFC 8725, 3.6 and 3.10; RFC 7515, 4.1.11). */
const NEVER = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'zip', 'b64']

const HeaderSchema = Type.Object({
  alg: Type.String(),
  kid: Type.Optional(Type.String()),
  typ: Type.Optional(Type.String()),
})

/** The last second of the year 9999: what is later is no time. */
const Time = Type.Number({ minimum: 0, maximum: 253_402_300_799 })

const ClaimsSchema = Type.Object({
  iss: Type.String(),
  aud: Type.Union([Type.String(), Type.Array(Type.String())]),
  exp: Time,
  iat: Time,
  nbf: Type.Optional(Time),
})

export type Header = Static<typeof HeaderSchema>
export type Claims = Static<typeof ClaimsSchema> & Record<string, unknown>

/**
 * Takes a compact JWS (RFC 7515) apart and looks at its form alone; nothing in it is to be believed yet.
 * `iat` is required, as in RFC 9068, 2.2: without it a token has no age. @throws TokenRefused
 */
export function readToken(token: string): { header: Header; claims: Claims } {
  if (token.length > LONGEST) throw new TokenRefused('too_long')
  if (!COMPACT.test(token)) throw new TokenRefused('malformed')
  const [first = '', second = ''] = token.split('.')
  const header = decode(first)
  if (!Value.Check(HeaderSchema, header) || NEVER.some(name => Object.hasOwn(header, name)))
    throw new TokenRefused('header_refused')
  const claims = decode(second)
  if (!Value.Check(ClaimsSchema, claims)) throw new TokenRefused('claims_refused')
  return { header, claims: claims as Claims }
}

function decode(part: string): unknown {
  const text = Buffer.from(part, 'base64url').toString()
  const value = parse(text)
  if (repeatsKey(text)) throw new TokenRefused('malformed')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TokenRefused('malformed')
  }
}
