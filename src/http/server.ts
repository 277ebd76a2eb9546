import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import helmet from '@fastify/helmet'
import type { FastifyPluginAsyncTypebox, TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import underPressure from '@fastify/under-pressure'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { demandWork } from '../auth/demand-work.ts'
import { authenticate, authorize } from '../auth/guard.ts'
import type { GuessingDeps } from '../auth/guessing.ts'
import type { Verifier } from '../auth/verify-token.ts'
import type { WorkDeps } from '../auth/work.ts'
import { Problem } from '../domain/problem.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { OpenCase } from '../requests/open-case.ts'
import { answerBrokenHttp, answerError, answerErrors } from './answer-errors.ts'
import { answerOtherMethods, rememberRoutes } from './declared-routes.ts'
import { describeApi } from './describe-api.ts'
import { docsRoutes } from './docs.routes.ts'
import { healthRoutes, type Readiness } from './health.routes.ts'
import { limitRates, type Quota } from './limit-rates.ts'
import { observe } from './observe.ts'
import { takeInStrictly } from './strict-intake.ts'
import { buildValidator } from './validation.ts'
import { watchCalls } from './watch-staff.ts'

export interface ServerDeps extends GuessingDeps, WorkDeps {
  log: Log
  metrics: Metrics
  verifier: Verifier
  quota?: Quota
  openCase: OpenCase
  /** The routes under /v1. */
  plugins: readonly FastifyPluginAsyncTypebox[]
  ready: Readiness
  /** Where the service is reached from outside, without a slash at the end. Nothing is ever derived from a Host header. */
  publicUrl: string
  /** Addresses of the proxies whose X-Forwarded-For is believed; none unless named. */
  trustProxy?: boolean | string[]
  version: string
}

/** The HTTP server with everything that holds for all routes, ready to listen. @throws Error when a route is declared wrongly */
export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const app = createApp(deps)
  answerErrors(app, deps.publicUrl)
  rememberRoutes(app)
  observe(app, deps.metrics)
  endConnectionsWhenClosing(app)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], sandbox: [] },
    },
  })
  await describeApi(app, deps)
  await app.register(docsRoutes) // beside the guard: they are the same for everybody
  await app.register(async served => serve(served, deps))
  await app.after()
  answerOtherMethods(app)
  await app.ready()
  return app
}

async function serve(app: FastifyInstance, deps: ServerDeps): Promise<void> {
  takeInStrictly(app)
  authenticate(app, deps)
  await limitRates(app, deps)
  authorize(app, deps)
  demandWork(app, deps)
  await app.register(healthRoutes(deps))
  await app.register(
    async v1 => {
      // it takes an interval without a sample for an endless delay, so one stall as long as that turns callers away: hence not the usual second
      await v1.register(underPressure, { maxEventLoopDelay: 2000, sampleInterval: 5000, customError: Overloaded })
      watchCalls(v1, deps.openCase)
      for (const plugin of deps.plugins) await v1.withTypeProvider<TypeBoxTypeProvider>().register(plugin)
    },
    { prefix: '/v1' },
  )
}

/** A connection that stays open after its last answer would hold up the end for as long as it is kept alive. */
function endConnectionsWhenClosing(app: FastifyInstance): void {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_req, reply) => {
    if (closing) reply.header('connection', 'close')
  })
}

class Overloaded extends Problem {
  constructor() {
    super('unavailable')
  }
}

const SECOND = 1000

function createApp({ log, publicUrl, trustProxy = false }: ServerDeps): FastifyInstance {
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }), // observe.ts writes the one line per call
    genReqId,
    requestIdHeader: false,
    trustProxy,
    bodyLimit: 1024 * 1024,
    // a request has to have arrived in a minute (10 MiB over a slow line), its head in 5 s; without a byte for 30 s either way the connection ends
    requestTimeout: 60 * SECOND,
    connectionTimeout: 30 * SECOND,
    keepAliveTimeout: 65 * SECOND, // longer than load balancers keep theirs, so that they close first
    http: { headersTimeout: 5 * SECOND, connectionsCheckingInterval: 2 * SECOND },
    routerOptions: { maxParamLength: 600 },
    return503OnClosing: false, // what arrived before the end is answered; the connection is closed after it
    exposeHeadRoutes: true,
    schemaController: { compilersFactory: { buildValidator } },
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: answerError(publicUrl),
  })
  return app
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** The caller's X-Request-Id where it is a UUID, so that it can be followed through the services; anything else could be anything. */
function genReqId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && UUID.test(given) ? given.toLowerCase() : randomUUID()
}
