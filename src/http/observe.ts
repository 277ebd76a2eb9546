import type { FastifyInstance } from 'fastify'
import { Gauge, Histogram } from 'prom-client'
import type { Metrics } from '../platform/metrics.ts'

/** Measures and logs every call by the pattern of its route, never by its address, which holds ids. */
export function observe(app: FastifyInstance, metrics: Metrics): void {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 60],
    registers: [metrics],
  })
  const inFlight = new Gauge({ name: 'http_requests_in_flight', help: 'Requests being answered', registers: [metrics] })

  app.addHook('onRequest', async (req, reply) => {
    inFlight.inc()
    reply.raw.once('close', () => inFlight.dec())
    reply.header('x-request-id', req.id)
  })
  app.addHook('onSend', async (_req, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  app.addHook('onResponse', async (req, reply) => {
    const { url: route = 'none' } = req.routeOptions
    const [method, status, ms] = [req.method, reply.statusCode, Math.round(reply.elapsedTime)]
    duration.observe({ method, route, status }, reply.elapsedTime / 1000)
    const level = req.routeOptions.config.onEveryUse ? 'debug' : 'info'
    req.log[level]({ method, route, status, ms, caller: req.caller?.kind }, 'answered')
  })
}
