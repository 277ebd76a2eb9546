import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { type Caller, ROLES } from './caller.ts'
import type { Issuer } from './issuers.ts'
import type { Claims } from './token.ts'
import { TokenRefused } from './token-refused.ts'

const Id = Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })
const Names = Type.Array(Type.String())
const Email = Type.String({ format: 'email', maxLength: 254 })

/** The caller that the claims of a verified token speak of, of the kind its issuer may mint. @throws TokenRefused */
export function readCaller({ issuer, kind, clients, claims: names = {} }: Issuer, claims: Claims): Caller {
  const client = at(claims, names.client ?? 'client_id') ?? claims.azp
  if (clients && !clients.includes(client as string)) throw new TokenRefused('client_refused')
  if (kind === 'service') {
    return { kind, id: `${issuer}|${required(Id, client)}`, scopes: listOf(at(claims, names.scopes ?? 'scope')) }
  }
  const subject = required(Id, at(claims, names.subject ?? 'sub'))
  const id = `${issuer}|${subject}`
  if (kind === 'support_agent') {
    const held = listOf(at(claims, names.roles ?? 'roles'))
    return { kind, id, subject, roles: new Set(ROLES.filter(role => held.has(role))) }
  }
  return { kind, id, subject, contactPoints: contactPoints(claims, names), ...login(claims) }
}

/** An address counts only with the issuer's word, as JSON `true`, that it is theirs. */
function contactPoints(claims: Claims, names: NonNullable<Issuer['claims']>) {
  const email = at(claims, names.email ?? 'email')
  const verified = at(claims, names.emailVerified ?? 'email_verified') === true
  return verified && Value.Check(Email, email) ? [{ type: 'email' as const, value: email }] : []
}

function login({ auth_time: authTime, acr, amr }: Claims) {
  return {
    ...(typeof authTime === 'number' && { authTime: new Date(authTime * 1000) }),
    ...(typeof acr === 'string' && { acr }),
    ...(Value.Check(Names, amr) && { amr }),
  }
}

function at(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  return path.split('.').reduce<unknown>((inner, name) => {
    return typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name) ? (inner as Claims)[name] : undefined
  }, claims)
}

/** Scopes come as one text with spaces (RFC 8693, 4.2), from some issuers as a list. */
function listOf(value: unknown): Set<string> {
  if (typeof value === 'string') return new Set(value.split(' ').filter(Boolean))
  return new Set(Value.Check(Names, value) ? value : [])
}

function required<S extends TSchema>(schema: S, value: unknown): Static<S> {
  if (!Value.Check(schema, value)) throw new TokenRefused('claims_refused')
  return value
}
