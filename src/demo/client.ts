/** A caller of the API, as any program would be one. What is refused is thrown, with what the answer says. */
export function apiClient(baseUrl: string, token?: string) {
  return async function call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await request(baseUrl, method, path, token, body)
    const text = await response.text()
    if (!response.ok)
      throw new Error(`${method} ${path.replace(/[A-Za-z0-9_-]{43}/, '…')} answered ${response.status}: ${text.slice(0, 500)}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}

function request(baseUrl: string, method: string, path: string, token?: string, body?: unknown): Promise<Response> {
  return fetch(new URL(path, baseUrl), {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}
