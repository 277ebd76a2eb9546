import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Problem } from '../domain/problem.ts'
import type { Metrics } from '../platform/metrics.ts'

/** Whether each thing that answers depend on is there. */
export type Readiness = () => Promise<{ checks: Record<string, boolean> }>

const open = { config: { allow: { public: true } }, schema: { hide: true } } as const

/**
 * For those who run the service. `/metrics` names routes and counts but nobody; still, let only the monitoring reach
 * it from outside the cluster.
 */
export const healthRoutes =
  ({ ready, metrics, version }: { ready: Readiness; metrics: Metrics; version: string }): FastifyPluginAsyncTypebox =>
  async api => {
    api.get('/health/live', open, async () => ({ status: 'live', version }))

    api.get('/health/ready', open, async () => {
      const { checks } = await ready()
      const failing = Object.keys(checks).filter(name => !checks[name])
      if (failing.length > 0) throw new Problem('unavailable', `Not ready: ${failing.join(', ')}.`, { retryAfter: 5 })
      return { status: 'ready' }
    })

    api.get('/metrics', open, async (_req, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
  }
