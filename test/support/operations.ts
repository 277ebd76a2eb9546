import { parse } from 'yaml'
import type { DeclaredRoute } from '../../src/http/declared-routes.ts'
import { openapiYaml } from '../../src/http/describe-api.ts'
import { nameOf } from './doors.ts'
import type { Service } from './service.ts'

interface Media {
  example?: object
  examples?: Record<string, { value: object }>
}
interface Described {
  requestBody?: { content: Record<string, Media> }
  parameters?: { name: string; in: string }[]
  responses: object
}

export interface Operation {
  /** The examples of its body. */
  bodies: object[]
  /** The names of what its address can ask for. */
  queries: string[]
  /** With which it can answer. */
  statuses: string[]
}

/** What the description of the API says of each operation, by method and address as in the router. */
export function operationsOf({ app }: Pick<Service, 'app'>): Map<string, Operation> {
  const { paths } = parse(openapiYaml(app.server)) as { paths: Record<string, Record<string, Described>> }
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]): [string, Operation] => [
        `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
        asOperation(described),
      ]),
    ),
  )
}

function asOperation({ requestBody, parameters = [], responses }: Described): Operation {
  const { example, examples = {} } = requestBody?.content['application/json'] ?? {}
  return {
    bodies: [...(example ? [example] : []), ...Object.values(examples).map(({ value }) => value)],
    queries: parameters.filter(one => one.in === 'query').map(({ name }) => name),
    statuses: Object.keys(responses),
  }
}

/** What a door can be called with, as its description shows it: without a body where it takes none. */
export const bodiesFor = (operations: Map<string, Operation>, door: DeclaredRoute): (object | undefined)[] => {
  const { bodies = [] } = operations.get(nameOf(door)) ?? {}
  return bodies.length > 0 ? bodies : [undefined]
}

/** A token of somebody who is let in at a door, with everything they may have. */
export function admittedTo({ issuer }: Service, { allow }: DeclaredRoute): string | undefined {
  if (allow.support_agent) return issuer.mint('support_agent', { sub: 'all-roles', roles: [...allow.support_agent] })
  if (allow.service) return issuer.mint('service', { sub: 'all-scopes', client_id: 'all-scopes', scope: allow.service })
  return allow.portal
    ? issuer.mint('portal', { sub: 'u-anybody', email: 'anybody@example.org', email_verified: true })
    : undefined
}
