interface Fault {
  pointer: string
  detail: string
}

/** What the API said no to. */
export class Refused extends Error {
  readonly status: number
  readonly detail: string

  constructor(call: string, status: number, text: string) {
    super(`${call} answered ${status}: ${text.slice(0, 500)}`)
    this.status = status
    const { detail, title, errors } = JSON.parse(text || '{}') as { detail?: string; title?: string; errors?: Fault[] }
    this.detail = errors?.map(fault => `${fault.pointer} ${fault.detail}`).join(' ') ?? detail ?? title ?? ''
  }
}

/** Calls the API as somebody. `asRead` names what was read before it is changed: its version is sent along (If-Match). */
export type Client = <T = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  options?: { asRead?: string },
) => Promise<T>

/** A caller of the API, as any program would be one. @throws Refused */
export function apiClient(baseUrl: string, token?: string): Client {
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...headers,
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return async <T>(method: string, path: string, body?: unknown, { asRead }: { asRead?: string } = {}): Promise<T> => {
    const version = asRead && (await send('GET', asRead)).headers.get('etag')
    const response = await send(method, path, body, version ? { 'if-match': version } : {})
    const text = await response.text()
    if (!response.ok) throw new Refused(`${method} ${path.replace(/[A-Za-z0-9_-]{43}/, '…')}`, response.status, text)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}
