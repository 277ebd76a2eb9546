import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../domain/problem.ts'
import { nestingOf } from '../platform/nesting.ts'
import { repeatsKey } from '../platform/repeated-keys.ts'
import { openObjectIn } from './closed-schema.ts'

const DEEPEST = 32
const NO_QUERY = Type.Object({}, { additionalProperties: false })

/** Headers with which a GET could be made a DELETE behind the back of whoever looks at methods. */
const METHOD_OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override']

/** Takes one form of input only: plain JSON, not deeper than anything here needs to be, and nothing that was not asked for. */
export function takeInStrictly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson(app))
  app.addHook('onRequest', async ({ headers }) => {
    if (METHOD_OVERRIDES.some(name => headers[name] !== undefined))
      throw new Problem('invalid_request', 'Methods cannot be overridden.')
    const encoding = headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') throw new Problem('unsupported_media_type', 'Send the body without compression.')
  })
  app.addHook('onRoute', route => {
    const { allow } = route.config ?? {}
    if (allow?.public) return
    route.schema = { querystring: NO_QUERY, ...route.schema }
    const open = openObjectIn(route.schema.body) ?? openObjectIn(route.schema.querystring)
    if (open !== undefined)
      throw new Error(`${route.method} ${route.url} takes unknown fields at '${open}': close it with additionalProperties: false`)
  })
  app.addHook('preValidation', async ({ body, routeOptions }) => {
    const { schema, config } = routeOptions
    if (body != null && !schema?.body && !config.allow?.signed)
      throw new Problem('invalid_request', 'This operation takes no body.')
  })
}

function parseJson(app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (req: FastifyRequest, text: string, done: (error: Error | null, body?: unknown) => void) => {
    // Many clients name a type and send nothing: an approval has no body, and must not be lost over a header.
    if (text === '' && !req.routeOptions.schema?.body) return done(null, undefined)
    if (nestingOf(text) > DEEPEST)
      return done(new Problem('invalid_request', `The body is nested deeper than ${DEEPEST} levels.`))
    return parse(req, text, (error, body) => {
      if (error) return done(new Problem('invalid_request', 'The body is not JSON that can be taken.'))
      if (repeatsKey(text)) return done(new Problem('invalid_request', 'The body names something twice.'))
      return done(null, body)
    })
  }
}
