import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

/** Makes routes take a page's own forms, which work without a script; what was left empty in them is left out. Their pages are not to be found or passed on. */
export function takeForms(api: FastifyInstance): void {
  api.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 1024 }, (_req, body, done) =>
    done(null, Object.fromEntries([...new URLSearchParams(String(body))].filter(([, value]) => value !== ''))),
  )
  api.addHook('onSend', async (_req, reply) => {
    reply.header('referrer-policy', 'no-referrer').header('x-robots-tag', 'noindex')
  })
}

export const isForm = (req: FastifyRequest): boolean =>
  req.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false

/** Answers with a page that runs and loads nothing. */
export const sendPage = (reply: FastifyReply, status: number, html: string): FastifyReply =>
  reply.type('text/html; charset=utf-8').header('content-security-policy', CSP).code(status).send(html)
