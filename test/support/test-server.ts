import { createHmac } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { createVerifier } from '../../src/auth/verify-token.ts'
import type { MintedKind, TokenIssuer } from '../../src/demo/token-issuer.ts'
import { buildServer, type ServerDeps } from '../../src/http/server.ts'
import { createLog } from '../../src/platform/log.ts'
import { createMetrics } from '../../src/platform/metrics.ts'
import type { RateLimitStore } from '../../src/platform/rate-limit.ts'

export interface TestServer {
  app: FastifyInstance
  /** What was logged, as text. */
  logged(): string
}

/** The HTTP server with given routes, trusting an issuer, counting calls in memory. */
export async function startTestServer(
  issuer: TokenIssuer,
  plugin: FastifyPluginAsyncTypebox,
  more: Partial<ServerDeps> = {},
): Promise<TestServer> {
  const lines: string[] = []
  const clock = { now: () => new Date() }
  const app = await buildServer({
    log: createLog({ level: 'debug', destination: { write: line => lines.push(line) } }),
    metrics: createMetrics(),
    verifier: createVerifier({ issuers: issuer.issuers, clock }),
    clock,
    vault: { mac: (purpose, value) => createHmac('sha256', purpose).update(value).digest() },
    guessBudget: 100,
    rateLimits: countingInMemory(),
    openCase: async () => {},
    plugins: [plugin],
    ready: async () => ({ checks: {} }),
    publicUrl: 'https://dsar.example',
    version: '1.0.0',
    ...more,
  })
  return { app, logged: () => lines.join('') }
}

/** Counts for ever: the window never ends within a test. */
export function countingInMemory(): RateLimitStore {
  const counts = new Map<string, number>()
  return {
    async count(key, windowMs) {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return { count, endsInMs: windowMs }
    },
    standing: async key => counts.get(key) ?? 0,
  }
}

/** The headers of a caller of a kind. */
export const as = (issuer: TokenIssuer, kind: MintedKind, claims: Record<string, unknown>) => ({
  authorization: `Bearer ${issuer.mint(kind, claims)}`,
})
