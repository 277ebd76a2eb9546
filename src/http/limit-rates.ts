import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Counter } from 'prom-client'
import { Problem } from '../domain/problem.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { RateLimitStore } from '../platform/rate-limit.ts'

/** Calls per minute, over all routes without a limit of their own. */
export interface Quota {
  perCaller: number
  /** For everybody together who comes from one address (IPv6: one /64) without a token or a signature. */
  perAddress: number
}

const QUOTA: Quota = { perCaller: 600, perAddress: 120 }

const MINUTE = 60_000

interface Deps {
  rateLimits: RateLimitStore
  metrics: Metrics
  quota?: Quota
}

/**
 * Counts calls per caller, or per address where there is no token. A route may set its own `config.rateLimit`
 * (`max`, `timeWindow` in milliseconds) and is then counted by itself.
 *
 * When calls cannot be counted, those without a token and those on routes with a limit of their own are refused (there
 * the limit is what stops guessing); others, who showed who they are, are let through: their limit is a courtesy.
 */
export async function limitRates(app: FastifyInstance, { rateLimits, metrics, quota = QUOTA }: Deps): Promise<void> {
  const uncounted = new Counter({ name: 'http_calls_uncounted_total', help: 'Calls let through uncounted', registers: [metrics] })

  app.addHook('onRoute', route => {
    const { allow, rateLimit: own } = route.config ?? {}
    if (allow?.public && own === undefined) route.config = { ...route.config, rateLimit: false }
    if (own && typeof own.timeWindow !== 'number')
      throw new Error(`${route.method} ${route.url} needs its timeWindow in milliseconds`)
  })
  await app.register(rateLimit, {
    max: req => (req.caller.kind === 'anonymous' && !req.routeOptions.config.allow?.signed ? quota.perAddress : quota.perCaller),
    timeWindow: MINUTE,
    keyGenerator: keyOf,
    store: storeOn(rateLimits, () => uncounted.inc()),
    errorResponseBuilder: (_req, { ttl }) => new Problem('too_many_requests', undefined, { retryAfter: Math.ceil(ttl / 1000) }),
  })
  app.addHook('onSend', async (req, reply) => {
    const [max, left, ends] = ['limit', 'remaining', 'reset'].map(name => {
      const value = reply.getHeader(`x-ratelimit-${name}`)
      reply.removeHeader(`x-ratelimit-${name}`)
      return value
    })
    if (max === undefined) return
    const own = req.routeOptions.config.rateLimit
    const [name, window] = own ? ['route', Number(own.timeWindow)] : ['default', MINUTE]
    reply.header('ratelimit-policy', `"${name}";q=${max};w=${Math.ceil(window / 1000)}`)
    reply.header('ratelimit', `"${name}";r=${left};t=${ends}`)
  })
}

const KNOWN = 'caller '

const keyOf = ({ caller, ip }: FastifyRequest): string =>
  caller.kind === 'anonymous' ? `address ${normalizeIP(ip)}` : KNOWN + caller.id

/** The library's form of a store: `scope` is the route whose own limit is counted, empty for the general one. */
function storeOn(rateLimits: RateLimitStore, letThrough: () => void, scope = '') {
  return class {
    incr(key: string, done: (error: Error | null, result?: { current: number; ttl: number }) => void, windowMs: number): void {
      rateLimits.count(scope + key, windowMs).then(
        ({ count, endsInMs }) => done(null, { current: count, ttl: endsInMs }),
        (error: Error) => {
          if (scope !== '' || !key.startsWith(KNOWN)) return done(error)
          letThrough()
          done(null, { current: 0, ttl: windowMs })
        },
      )
    }

    /** For a route with a limit of its own. The library hands over more than its types say. */
    child(params: object) {
      const { method, url } = (params as { routeInfo: { method: string | string[]; url: string } }).routeInfo
      return new (storeOn(rateLimits, letThrough, `${method === 'HEAD' ? 'GET' : method} ${url} `))()
    }
  }
}
