import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './answer.ts'
import { now } from './clock.ts'
import type { AdapterDefinition, Found } from './definition.ts'
import { type FastifyPlugin, fastifyPlugin } from './fastify.ts'
import { createFileLinks } from './file-links.ts'
import { manifestOf } from './manifest.ts'
import type { Manifest, Task } from './protocol.ts'
import { remembering } from './remember.ts'
import { serve } from './serve.ts'
import { createSigner } from './sign.ts'
import { createWorkbench } from './workbench.ts'

export type { AnswerStore, Remembered } from './answer-store.ts'
export type { AdapterDefinition, Call, DatasetDefinition, Effects, FileToSend, Found, Outcome, Row } from './definition.ts'
export { TaskProblem } from './problem.ts'
export type * from './protocol.ts'

export interface Adapter {
  manifest: Manifest
  /** For a server of your own: `createServer(adapter.handler)`. */
  handler: RequestListener
  /** The same below a path, e.g. `/dsar`, in a framework that leaves the body unread and the address whole. */
  mountedAt(path: string): RequestListener
  /** For Fastify: `server.register(adapter.fastify, { prefix: '/dsar' })`. */
  fastify: FastifyPlugin
  /** Port 0 takes a free one. */
  listen(port?: number, host?: string): Promise<{ url: string; port: number }>
  /** Stops taking calls, lets those under way finish for at most five seconds, and gives up what was promised for later. */
  close(): Promise<void>
}

const GRACE_MS = 5_000

/**
 * Makes a service answer data-subject requests. Describe your datasets, find the person, read their records:
 *
 * ```js
 * const adapter = createAdapter({
 *   name: 'billing',
 *   secrets: 'whsec_…',
 *   identityTypes: [{ type: 'user_id' }],
 *   find: async identities => {
 *     const matched = identities.filter(({ type, value }) => type === 'user_id' && customers.has(value))
 *     return matched.length > 0 ? { matched, customer: customers.get(matched[0].value) } : undefined
 *   },
 *   datasets: {
 *     invoices: {
 *       title: 'Invoices', category: 'billing', origin: 'provided', purposes: ['billing'],
 *       legalBases: ['contract'], retention: 'financial_records', recipients: ['Stripe'],
 *       count: ({ customer }) => customer.invoices.length,
 *       records: async function* ({ customer }) { yield* customer.invoices },
 *       erase: ({ customer }) => invoices.eraseOf(customer), // to how many it was done
 *     },
 *   },
 * })
 * await adapter.listen(8080)
 * ```
 *
 * @throws Error at once when the definition cannot be right.
 */
export function createAdapter<Person extends Found>(definition: AdapterDefinition<Person>): Adapter {
  const manifest = manifestOf(definition)
  const secrets = [definition.secrets].flat()
  const workbench = createWorkbench(now)
  const mountedAt = (path: string): RequestListener => serve({ ...deps, prefix: path.replace(/\/+$/, '') })
  const deps = {
    manifest,
    signer: createSigner(secrets),
    links: createFileLinks(secrets[0] ?? '', now),
    workbench,
    answer: remembering(definition.answers, (task: Task, signal: AbortSignal) => answer(definition, { task, signal })),
    openFile: async (key: string) => definition.openFile?.(key),
    onError: (error: unknown) => definition.onError?.(error),
    now,
    answerWithin: definition.answerWithin ?? 10_000,
    pollEvery: definition.pollEvery ?? 5,
    publicUrl: definition.publicUrl,
  }
  const handler = mountedAt('')
  return { manifest, handler, mountedAt, fastify: fastifyPlugin(mountedAt), ...listener(handler, workbench.stop) }
}

function listener(handler: RequestListener, stop: () => void): Pick<Adapter, 'listen' | 'close'> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, handler)
  return {
    async listen(port = 0, host = '127.0.0.1') {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, resolve)
      })
      const taken = (server.address() as AddressInfo).port
      return { url: `http://${host}:${taken}`, port: taken }
    },
    async close() {
      stop()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      const impatience = setTimeout(() => server.closeAllConnections(), GRACE_MS)
      await closed.finally(() => clearTimeout(impatience))
    },
  }
}
