import type { FastifyRequest } from 'fastify'
import { TokenRefused } from './token-refused.ts'

/** The token that a call brings along (RFC 6750), if any. @throws TokenRefused */
export function bearerOf({ headers: { authorization }, query }: FastifyRequest): string | undefined {
  if (Object.hasOwn(Object(query), 'access_token')) throw new TokenRefused('in_url') // it would stay in every log on the way
  if (authorization === undefined) return undefined
  const [, token] = /^bearer +(\S+)$/i.exec(authorization) ?? []
  if (token === undefined) throw new TokenRefused('malformed')
  return token
}
