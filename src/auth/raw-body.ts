import type { FastifyInstance } from 'fastify'

/**
 * Lets the routes of one plugin have the body as the bytes that were sent (`req.body` is a Buffer), because a signature
 * is over those and not over what they mean. The plugin parses them itself, after it has checked the signature.
 */
export function takeRawBody(api: FastifyInstance): void {
  api.removeContentTypeParser('application/json')
  api.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_req, body, done) => done(null, body))
}
