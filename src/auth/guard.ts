import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Counter } from 'prom-client'
import { Problem } from '../domain/problem.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { bearerOf } from './bearer.ts'
import { ANONYMOUS } from './caller.ts'
import { admits, faultOf } from './route-config.ts'
import { KeysUnavailable, type RefusalReason, TokenRefused } from './token-refused.ts'
import type { Verifier } from './verify-token.ts'

export interface GuardDeps {
  verifier: Verifier
  log: Log
  metrics: Metrics
}

/** What a refused token is answered with; kept beside the request until it has been counted against the caller's address. */
const refusals = new WeakMap<FastifyRequest, Problem>()

/**
 * Establishes `req.caller` from the bearer token (RFC 6750) of every request. Does not turn anybody away yet, so that
 * whoever is turned away is counted first. Of a refused token only the reason is recorded.
 */
export function authenticate(app: FastifyInstance, { verifier, log, metrics }: GuardDeps): void {
  const refused = new Counter({
    name: 'auth_tokens_refused_total',
    help: 'Bearer tokens that were not accepted, by reason',
    labelNames: ['reason'],
    registers: [metrics],
  })
  app.decorateRequest('caller')
  app.addHook('onRequest', async req => {
    req.caller = ANONYMOUS
    const { allow } = req.routeOptions.config
    if (!allow || allow.public || allow.signed) return
    try {
      const token = bearerOf(req)
      if (token !== undefined) req.caller = await verifier(token)
    } catch (error) {
      const reason = reasonOf(error)
      refused.inc({ reason })
      log.warn({ reason, reqId: req.id, route: req.routeOptions.url }, 'token refused')
      refusals.set(
        req,
        reason === 'keys_unavailable' ? new Problem('unavailable', undefined, { retryAfter: 10 }) : unauthenticated(),
      )
    }
  })
}

/** Makes every route declared from here on say who may call it, and turns everybody else away, which is counted: an alert can rest on it. @throws Error at the start */
export function authorize(app: FastifyInstance, { metrics }: Pick<GuardDeps, 'metrics'>): void {
  const turnedAway = new Counter({
    name: 'auth_calls_turned_away_total',
    help: 'Calls with a good token to what is not theirs to call, by kind of caller and route',
    labelNames: ['kind', 'route'],
    registers: [metrics],
  })
  app.addHook('onRoute', route => {
    const allow = route.config?.allow
    const fault = faultOf(allow)
    if (!allow || fault) throw new Error(`${route.method} ${route.url} ${fault}`)
    const check = async (req: FastifyRequest, reply: FastifyReply) => {
      const refusal = refusals.get(req)
      if (!refusal && admits(allow, req.caller)) return
      const nobody = refusal?.status === 401 || (!refusal && req.caller.kind === 'anonymous')
      if (nobody) reply.header('www-authenticate', `Bearer realm="dsar"${refusal ? ', error="invalid_token"' : ''}`)
      if (!nobody) turnedAway.inc({ kind: req.caller.kind, route: route.url })
      throw refusal ?? (nobody ? unauthenticated() : new Problem('not_allowed'))
    }
    route.onRequest = [...[route.onRequest ?? []].flat(), check]
  })
}

const unauthenticated = () => new Problem('not_authenticated')

function reasonOf(error: unknown): RefusalReason | 'keys_unavailable' {
  if (error instanceof TokenRefused) return error.reason
  if (error instanceof KeysUnavailable) return 'keys_unavailable'
  throw error
}
