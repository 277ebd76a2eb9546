import { randomUUID } from 'node:crypto'
import { type DeclaredRoute, routesOf } from '../../src/http/declared-routes.ts'
import type { Service } from './service.ts'

/** Every route, straight from the router, but for HEAD, which goes with GET, and the files of the reference. */
export const doorsOf = ({ app }: Pick<Service, 'app'>): DeclaredRoute[] =>
  routesOf(app.server).filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs/'))

export const nameOf = ({ method, url }: DeclaredRoute): string => `${method} ${url}`
export const takesToken = ({ allow }: DeclaredRoute): boolean => !allow.public && !allow.signed
const takesBody = ({ method }: DeclaredRoute): boolean => method === 'POST' || method === 'PATCH' || method === 'PUT'

export interface Knock {
  token?: string
  headers?: Record<string, string>
  /** With its question mark. */
  query?: string
  /** An empty object where it is not said, and the method takes one. */
  body?: object | undefined
  /** What stands for the parameters of the address; a random one where there is none. */
  ids?: Record<string, string>
}

/** What stands for a parameter of an address when nothing is there: of the same form, and nobody's. */
export function nobodys(name: string): string {
  if (name === 'n') return '9999'
  return name === 'token' || name === 'grant' ? 'x'.repeat(43) : randomUUID()
}

export const fill = (url: string, ids: Record<string, string> = {}): string =>
  url.replace(/:(\w+)/g, (_, name: string) => ids[name] ?? nobodys(name))

let calls = 0

/** Calls a route without the network in between, each time from another address, so that it meets no limit of one. */
export function knock({ app }: Pick<Service, 'app'>, route: DeclaredRoute, how: Knock = {}) {
  const { token, headers, query = '', ids } = how
  const body = 'body' in how ? how.body : takesBody(route) ? {} : undefined
  calls++
  return app.server.inject({
    method: route.method as 'GET',
    url: fill(route.url, ids) + query,
    remoteAddress: `10.${(calls >> 16) & 255}.${(calls >> 8) & 255}.${calls & 255}`,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    ...(body && { payload: body }),
  })
}
