import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../domain/problem.ts'
import { bodyOf, PROBLEM_TYPE } from './problem-body.ts'
import { toProblem } from './to-problem.ts'

/** Answers an error, and records it once where it is ours: without its message, the query or the parameters. */
export const answerError =
  (publicUrl: string) =>
  (error: unknown, req: FastifyRequest, reply: FastifyReply): void => {
    const problem = toProblem(error)
    if (problem.status >= 500) {
      const level = problem.code === 'internal' ? 'error' : 'warn'
      req.log[level](
        { err: error, code: problem.code, method: req.method, route: req.routeOptions.url },
        'answered with a problem of ours',
      )
    }
    if (problem.retryAfter !== undefined) reply.header('retry-after', problem.retryAfter)
    const body = bodyOf(problem, publicUrl, req.id)
    void reply.code(problem.status).type(PROBLEM_TYPE).header('cache-control', 'no-store').send(JSON.stringify(body))
  }

/** Makes every answer that is not what was asked for a problem document (RFC 9457). */
export function answerErrors(app: FastifyInstance, publicUrl: string): void {
  app.setErrorHandler(answerError(publicUrl))
  app.setNotFoundHandler(async req => {
    throw app.supportedMethods.includes(req.method) ? new Problem('not_found') : new Problem('method_not_allowed')
  })
}

const BROKEN_STATUS: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Answers what is not even HTTP, or comes too slowly or with too much in front of it, and hangs up. */
export function answerBrokenHttp({ code }: Error & { code?: string }, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = BROKEN_STATUS[code ?? ''] ?? 400
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, code: 'invalid_request' })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  )
}
