import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'

/** A server on 127.0.0.1 with a port of its own. */
export interface Loopback {
  host: string
  url: string
  /** Connections accepted so far. */
  connections(): number
  close(): Promise<void>
}

/** Listens, and when closed drops every connection at once. */
export async function listen(server: Server): Promise<Loopback> {
  const open = new Set<Socket>()
  let accepted = 0
  server.on('connection', socket => {
    accepted += 1
    open.add(socket.on('error', () => {}).on('close', () => open.delete(socket)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `http://${host}`,
    connections: () => accepted,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

export const serveHttp = (listener: RequestListener): Promise<Loopback> => listen(createServer(listener) satisfies HttpServer)

/** Answers every connection with these bytes, then does what `then` says with the socket. */
export const serveBytes = (bytes: string | Buffer, then: (socket: Socket) => void = socket => socket.end()): Promise<Loopback> =>
  listen(createTcpServer(socket => socket.once('data', () => socket.write(bytes, () => then(socket)))))
