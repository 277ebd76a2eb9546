import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

/** What of Fastify is needed, so that nobody needs Fastify who does not have it. */
interface FastifyLike {
  prefix: string
  removeAllContentTypeParsers(): void
  addContentTypeParser(type: string, parser: (req: unknown, body: unknown, done: (error: null) => void) => void): unknown
  all(path: string, handler: (req: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }) => void): unknown
}

export type FastifyPlugin = (server: FastifyLike, options: unknown, done: () => void) => void

/** Its own encapsulated corner of the server: there the body is left unread, because the signature is over its bytes. */
export const fastifyPlugin =
  (mountedAt: (path: string) => RequestListener): FastifyPlugin =>
  (server, _options, done) => {
    const handler = mountedAt(server.prefix)
    server.removeAllContentTypeParsers()
    server.addContentTypeParser('*', (_req, _body, parsed) => parsed(null))
    server.all('/*', (req, reply) => {
      reply.hijack()
      handler(req.raw, reply.raw)
    })
    done()
  }
