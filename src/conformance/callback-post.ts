import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ArrivedCallback {
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Where an adapter under check can call back to. */
export interface CallbackPost {
  urlFor(taskId: string): string
  /** The first call about this task, or undefined when none came within the time. */
  arrived(taskId: string, withinMs: number): Promise<ArrivedCallback | undefined>
  close(): Promise<void>
}

const BODY_LIMIT = 1024 ** 2

/** Listens on this machine: enough for an adapter that runs here, too. */
export async function openCallbackPost(host = '127.0.0.1'): Promise<CallbackPost> {
  const came = new Map<string, PromiseWithResolvers<ArrivedCallback>>()
  const awaited = (taskId: string) => {
    const one = came.get(taskId) ?? Promise.withResolvers<ArrivedCallback>()
    came.set(taskId, one)
    return one
  }
  const server = createServer(async (req, res) => {
    if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) return res.writeHead(413).end()
    const body = await buffer(req)
    awaited(req.url?.split('/').at(-1) ?? '').resolve({ headers: req.headers, body })
    res.writeHead(202).end()
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    urlFor: taskId => `http://${host}:${port}/${taskId}`,
    arrived: (taskId, withinMs) =>
      Promise.race([awaited(taskId).promise, sleep(withinMs, undefined, { ref: false }).then(() => undefined)]),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
