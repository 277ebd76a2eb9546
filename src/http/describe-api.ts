import swagger from '@fastify/swagger'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import { stringify } from 'yaml'
import { KeyHeader } from '../auth/request-key.ts'
import { MatchHeader } from '../auth/require-match.ts'
import type { Allow } from '../auth/route-config.ts'
import { CATALOGUE, type ProblemCode } from '../domain/problem.ts'
import { PROBLEM_TYPE, ProblemBody, typeOf } from './problem-body.ts'

interface Deps {
  publicUrl: string
  version: string
}

/** Collects the routes into an OpenAPI 3.1 document. Call before any route is declared. */
export async function describeApi(app: FastifyInstance, { publicUrl, version }: Deps): Promise<void> {
  app.addSchema(ProblemBody)
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
    transform: ({ schema, url, route }) => ({ schema: schema && { ...schema, ...described(route, publicUrl) }, url }),
  })
}

/** The document as text: the same for the same routes, so that a change of the API shows as a change of a file. */
export function openapiYaml(app: FastifyInstance): string {
  return stringify(app.swagger(), { lineWidth: 0, aliasDuplicateObjects: false })
}

function described({ schema, config }: RouteOptions, publicUrl: string) {
  const allow = config?.allow ?? {}
  const codes = [...possible(allow), ...(config?.problems ?? [])]
  const headers = [
    ...(codes.includes('key_reused') ? [KeyHeader] : []),
    ...(codes.includes('precondition_required') ? [MatchHeader] : []),
  ]
  const own = (schema?.response ?? {}) as Record<string, unknown>
  return {
    'x-audience': allow,
    security: securityOf(allow),
    ...(headers.length > 0 && { headers: Type.Object(Object.assign({}, ...headers.map(({ properties }) => properties))) }),
    response: { ...problemResponses(codes, publicUrl), ...own },
  }
}

function securityOf(allow: Allow): Record<string, string[]>[] {
  if (allow.public) return []
  if (allow.signed) return [{ signature: [] }]
  return allow.anonymous ? [{ bearer: [] }, {}] : [{ bearer: [] }]
}

/** What any route with this audience can answer. */
function possible(allow: Allow): ProblemCode[] {
  if (allow.public) return ['internal']
  const ofTokens: ProblemCode[] = allow.signed ? [] : ['not_authenticated', 'not_allowed']
  return ['invalid_request', ...ofTokens, 'too_many_requests', 'internal', 'unavailable']
}

function problemResponses(codes: readonly ProblemCode[], publicUrl: string): Record<string, unknown> {
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
