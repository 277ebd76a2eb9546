import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { CATALOGUE, Problem, type ProblemCode } from '../domain/problem.ts'

/** What the page of the reference needs, all of it from here. The styles are set by its script. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const ProblemName = Type.Object({ code: Type.String() })

/** The description of the API: for programs, for readers, and of each problem at the address that problems bear as their type. */
export const docsRoutes: FastifyPluginAsyncTypebox = async api => {
  // the routes of the page come from its library, which lets nothing be declared about them
  api.addHook('onRoute', route => {
    route.config = { allow: { public: true }, ...route.config }
  })
  await api.register(swaggerUi, { routePrefix: '/docs', staticCSP: PAGE_POLICY, theme: { title: 'Data-subject requests' } })

  api.get('/openapi.json', { schema: { hide: true } }, async (_req, reply) => reply.send(api.swagger()))

  api.get('/problems/:code', { schema: { hide: true, params: ProblemName } }, async ({ params: { code } }) => {
    if (!Object.hasOwn(CATALOGUE, code)) throw new Problem('not_found')
    const [status, title] = CATALOGUE[code as ProblemCode]
    return { code, status, title }
  })
}
