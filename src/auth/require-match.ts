import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../domain/problem.ts'
import { matchesVersion } from '../platform/etag.ts'

/** As the description of the API has it, on every route that can answer `precondition_required`. */
export const MatchHeader = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The ETag of what you have read and decide on.', examples: ['"v3"'] })),
})

/**
 * Makes sure that the caller decided on what is there now. @throws Problem `stale` when it has changed since they read
 * it, `precondition_required` (RFC 6585, 3) when they do not say what they read.
 */
export function requireMatch(req: FastifyRequest, version: number): void {
  const ifMatch = req.headers['if-match']
  if (ifMatch === undefined) throw new Problem('precondition_required')
  if (!matchesVersion(ifMatch, version)) throw new Problem('stale')
}
