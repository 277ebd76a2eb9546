import type { FastifyInstance, HTTPMethods, RouteOptions } from 'fastify'
import type { Allow } from '../auth/route-config.ts'
import { Problem } from '../domain/problem.ts'

const declared = new WeakMap<FastifyInstance, RouteOptions[]>()

/** Keeps account of the routes from here on. */
export function rememberRoutes(app: FastifyInstance): void {
  const routes: RouteOptions[] = []
  declared.set(app, routes)
  app.addHook('onRoute', route => {
    if (route.handler !== refuseMethod) routes.push(route)
  })
}

export interface DeclaredRoute {
  method: string
  url: string
  allow: Allow
  /** Whether a token does this to the same thing once only. */
  oneShot: boolean
}

/** Every route there is and who may call it, from the router itself. */
export function routesOf(app: FastifyInstance): DeclaredRoute[] {
  const routes = declared.get(app) ?? []
  return routes.flatMap(({ method, url, config }) =>
    [method].flat().map(one => ({ method: one, url, allow: config?.allow ?? {}, oneShot: config?.oneShot ?? false })),
  )
}

/**
 * Answers a method that an address does not take with 405 and the ones that it does (RFC 9110, 15.5.6), before
 * anything else is looked at. Call when all routes are declared.
 */
export function answerOtherMethods(app: FastifyInstance): void {
  const methods = app.supportedMethods as HTTPMethods[]
  for (const url of new Set(routesOf(app).map(route => route.url))) {
    const taken = methods.filter(method => app.hasRoute({ method, url }))
    app.route({
      method: methods.filter(method => !taken.includes(method)),
      url,
      schema: { hide: true },
      onRequest: async (_req, reply) => {
        reply.header('allow', taken.join(', '))
        refuseMethod()
      },
      handler: refuseMethod,
    })
  }
}

function refuseMethod(): never {
  throw new Problem('method_not_allowed')
}
