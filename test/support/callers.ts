import type { Service } from './service.ts'

export interface Answered {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: what it is, each test says in its expectations
  body: any
  bytes: Buffer
}

/** Calls the API as somebody. A body makes it a POST, unless told otherwise. */
export type Call = (
  path: string,
  options?: { method?: string; body?: unknown; headers?: Record<string, string> },
) => Promise<Answered>

/** Somebody with a token, the same for every call or a new one for each, or without one. */
export function callAs(service: Pick<Service, 'url'>, bearer?: string | (() => string)): Call {
  return async (path, { method, body, headers = {} } = {}) => {
    const token = typeof bearer === 'function' ? bearer() : bearer
    const response = await fetch(path.startsWith('http') ? path : service.url + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      redirect: 'manual',
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const json = bytes.length > 0 && response.headers.get('content-type')?.includes('json')
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      body: json ? JSON.parse(bytes.toString()) : bytes.toString(),
    }
  }
}

/** The kinds of people and services that call, each with everything it may have; people come with a new token each time. */
export const callers = (service: Service) => ({
  anybody: callAs(service),
  service: (claims: Record<string, unknown> = {}) =>
    callAs(
      service,
      service.issuer.mint('service', {
        sub: 'crm',
        client_id: 'crm',
        scope: 'requests:open requests:read adapters:read adapters:write subjects:lookup subjects:consent',
        ...claims,
      }),
    ),
  agent: (roles: string[] = ['agent'], sub = 'agent-7') =>
    callAs(service, () => service.issuer.mint('support_agent', { sub, roles })),
  person: (userId: string, email: string, claims: Record<string, unknown> = {}) => {
    const login = { auth_time: Math.floor(service.clock.real().getTime() / 1000) }
    return callAs(service, () => service.issuer.mint('portal', { sub: userId, email, email_verified: true, ...login, ...claims }))
  },
})

/** Asks until the answer fits. @throws with the last answer when it never does */
export async function until(
  ask: () => Promise<Answered>,
  fits: (answer: Answered) => boolean,
  milliseconds = 15_000,
): Promise<Answered> {
  const end = Date.now() + milliseconds
  while (true) {
    const answer = await ask()
    if (fits(answer)) return answer
    if (Date.now() > end)
      throw new Error(`It never came to that. Last: ${answer.status} ${JSON.stringify(answer.body).slice(0, 2000)}`)
    await new Promise(resolve => setTimeout(resolve, 30))
  }
}
