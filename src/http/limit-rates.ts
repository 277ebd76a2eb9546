import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Counter } from 'prom-client'
import { Problem } from '../domain/problem.ts'
import type { Metrics } from '../platform/metrics.ts'
import { localRateLimits, type RateLimitStore } from '../platform/rate-limit.ts'

/** Calls per minute, over all routes without a limit of their own. */
export interface Quota {
  perCaller: number
  /** For everybody together who comes from one address (IPv6: one /64) without a token or a signature. */
  perAddress: number
  /** For one service on what it calls on every use (`onEveryUse`), in each process by itself. */
  everyUse: number
}

const QUOTA: Quota = { perCaller: 600, perAddress: 120, everyUse: 600_000 }

const MINUTE = 60_000

interface Deps {
  rateLimits: RateLimitStore
  metrics: Metrics
  quota?: Quota
}

/**
 * Counts calls per caller, or per address where there is no token. A route may set its own `config.rateLimit`
 * (`max`, `timeWindow` in milliseconds) and is then counted by itself. What services call on every use is counted for them
 * in memory, with a quota that only stops what has run wild; anybody else is counted there as everywhere.
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
    max: req => quota[counterOf(req)],
    timeWindow: MINUTE,
    keyGenerator: keyOf,
    store: storeOn({ everywhere: rateLimits, here: localRateLimits() }, () => uncounted.inc()),
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
    const [name, window] = own ? ['route', Number(own.timeWindow)] : [isUse(req) ? 'use' : 'default', MINUTE]
    reply.header('ratelimit-policy', `"${name}";q=${max};w=${Math.ceil(window / 1000)}`)
    reply.header('ratelimit', `"${name}";r=${left};t=${ends}`)
  })
}

const KNOWN = 'caller '
const USE = 'use '

const isUse = ({ caller, routeOptions: { config } }: FastifyRequest): boolean =>
  caller.kind === 'service' && config.onEveryUse === true

function counterOf(req: FastifyRequest): keyof Quota {
  if (req.caller.kind === 'anonymous' && !req.routeOptions.config.allow?.signed) return 'perAddress'
  return isUse(req) ? 'everyUse' : 'perCaller'
}

function keyOf(req: FastifyRequest): string {
  if (req.caller.kind === 'anonymous') return `address ${normalizeIP(req.ip)}`
  return (isUse(req) ? USE : KNOWN) + req.caller.id
}

/** The library's form of a store: `scope` is the route whose own limit is counted, empty for the general one. */
function storeOn(stores: { everywhere: RateLimitStore; here: RateLimitStore }, letThrough: () => void, scope = '') {
  return class {
    incr(key: string, done: (error: Error | null, result?: { current: number; ttl: number }) => void, windowMs: number): void {
      const store = key.startsWith(USE) ? stores.here : stores.everywhere
      store.count(scope + key, windowMs).then(
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
      return new (storeOn(stores, letThrough, `${method === 'HEAD' ? 'GET' : method} ${url} `))()
    }
  }
}
