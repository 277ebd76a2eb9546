import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import { stringify } from 'yaml'
import { KeyHeader } from '../auth/request-key.ts'
import { MatchHeader } from '../auth/require-match.ts'
import type { Allow } from '../auth/route-config.ts'
import { CATALOGUE, type ProblemCode } from '../domain/problem.ts'
import { PROBLEM_TYPE, ProblemBody, typeOf } from './problem-body.ts'
import { headersOf, RESPONSE_HEADERS, type Sending } from './response-headers.ts'

interface Deps {
  publicUrl: string
  version: string
}

/** Collects the routes into an OpenAPI 3.1 document. Call before any route is declared. */
export async function describeApi(app: FastifyInstance, { publicUrl, version }: Deps): Promise<void> {
  app.addSchema(ProblemBody)
  const sending = new Map<string, Sending>()
  await app.register(swagger, {
    convertConstToEnum: false,
    refResolver: { buildLocalReference: ({ $id }, _uri, _fragment, i) => (typeof $id === 'string' ? $id : `def-${i}`) },
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Data-subject requests',
        version,
        license: { name: 'Proprietary to Almastack', url: publicUrl },
        description:
          'Takes requests of data subjects in, proves who asks, collects from every service that holds data, and hands over.',
      },
      servers: [{ url: publicUrl }],
      components: {
        headers: RESPONSE_HEADERS,
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'An access token of a trusted issuer (RFC 9068).',
          },
          signature: {
            type: 'apiKey',
            in: 'header',
            name: 'webhook-signature',
            description: 'A signature over the body (Standard Webhooks).',
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      if (schema?.operationId) sending.set(schema.operationId, sendingOf(route))
      return { schema: schema && { ...schema, ...described(route, publicUrl) }, url }
    },
    transformObject: withHeaders(sending),
  })
}

/** The document as text: the same for the same routes, so that a change of the API shows as a change of a file. */
export function openapiYaml(app: FastifyInstance): string {
  return stringify(app.swagger(), { lineWidth: 0, aliasDuplicateObjects: false })
}

function described({ schema, config }: RouteOptions, publicUrl: string) {
  const allow = config?.allow ?? {}
  const taking: ProblemCode[] = schema?.body || allow.signed ? ['too_large', 'unsupported_media_type'] : []
  const once: ProblemCode[] = config?.oneShot ? ['token_used'] : []
  const codes = [...possible(allow, schema?.params !== undefined), ...taking, ...(config?.problems ?? []), ...once]
  const headers = [
    ...(schema?.headers ? [schema.headers as typeof KeyHeader] : []),
    ...(codes.includes('key_reused') ? [KeyHeader] : []),
    ...(codes.includes('precondition_required') ? [MatchHeader] : []),
  ]
  const own = (schema?.response ?? {}) as Record<string, Described>
  return {
    'x-audience': allow,
    security: securityOf(allow),
    ...(headers.length > 0 && { headers: Type.Object(Object.assign({}, ...headers.map(({ properties }) => properties))) }),
    response: besides(problemResponses(codes, publicUrl), own),
  }
}

const sendingOf = ({ config }: RouteOptions): Sending => ({
  sends: config?.sends ?? [],
  limited: !config?.allow?.public || config.rateLimit !== undefined,
  keyed: config?.problems?.includes('key_reused') ?? false,
})

interface Described {
  description?: string
  content?: object
}

/** What a route answers of its own; where a status can be a problem as well, a page for a person stands beside it. */
function besides(problems: Record<string, Described>, own: Record<string, Described>): Record<string, Described> {
  const both = Object.entries(own).map(([status, answer]) => {
    const problem = problems[status]
    if (!problem) return [status, answer]
    const description = `${problem.description}\n\n${answer.description}`
    return [status, { description, content: { ...problem.content, ...answer.content } }]
  })
  return { ...problems, ...Object.fromEntries(both) }
}

/** The headers of every answer; the library could describe them only in full and at each place anew. */
const withHeaders =
  (sending: ReadonlyMap<string, Sending>): SwaggerTransformObject =>
  described => {
    if (!('openapiObject' in described)) return described.swaggerObject
    const operations = Object.values(described.openapiObject.paths ?? {}).flatMap(item => Object.values(item ?? {}))
    for (const operation of operations) {
      if (typeof operation !== 'object' || !('responses' in operation)) continue
      const sent = sending.get(operation.operationId ?? '')
      for (const [status, answer] of Object.entries(operation.responses ?? {}))
        if (sent) Object.assign(answer, { headers: headersOf(Number(status), sent) })
    }
    return described.openapiObject
  }

function securityOf(allow: Allow): Record<string, string[]>[] {
  if (allow.public) return []
  if (allow.signed) return [{ signature: [] }]
  return allow.anonymous ? [{ bearer: [] }, {}] : [{ bearer: [] }]
}

/** What any route with this audience can answer. */
function possible(allow: Allow, named: boolean): ProblemCode[] {
  if (allow.public) return named ? ['invalid_request', 'internal'] : ['internal']
  const ofTokens: ProblemCode[] = allow.signed ? [] : ['not_authenticated', 'not_allowed']
  return ['invalid_request', ...ofTokens, 'too_many_requests', 'internal', 'unavailable']
}

function problemResponses(codes: readonly ProblemCode[], publicUrl: string): Record<string, Described> {
  const byStatus = Map.groupBy(new Set(codes), code => CATALOGUE[code][0])
  return Object.fromEntries(
    [...byStatus].map(([status, sharing]) => [
      status,
      {
        description: sharing.map(code => `\`${code}\`: ${CATALOGUE[code][1]}`).join('\n\n'),
        content: {
          [PROBLEM_TYPE]: {
            schema: { $ref: 'Problem#' },
            examples: Object.fromEntries(sharing.map(code => [code, { value: exampleOf(code, publicUrl) }])),
          },
        },
      },
    ]),
  )
}

const exampleOf = (code: ProblemCode, publicUrl: string) => ({
  type: typeOf(code, publicUrl),
  title: CATALOGUE[code][1],
  status: CATALOGUE[code][0],
  code,
})
