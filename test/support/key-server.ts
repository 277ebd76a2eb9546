import type { JsonWebKey, KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface KeyServer {
  url: string
  /** What is published; change it to turn keys. */
  keys: JsonWebKey[]
  /** Answers 500 while true. */
  down: boolean
  hits: number
  close(): Promise<void>
}

/** An issuer's published key set, on loopback, that can be turned, counted and taken down. */
export async function startKeyServer(): Promise<KeyServer> {
  const http = createServer((_req, res) => {
    server.hits++
    res.writeHead(server.down ? 500 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: server.keys }))
  })
  await new Promise<void>(listening => http.listen(0, '127.0.0.1', listening))
  const server: KeyServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/jwks`,
    keys: [],
    down: false,
    hits: 0,
    close: () => new Promise(closed => http.close(() => closed())),
  }
  return server
}

export const asJwk = (publicKey: KeyObject, more: Record<string, unknown>): JsonWebKey => ({
  ...publicKey.export({ format: 'jwk' }),
  use: 'sig',
  ...more,
})
