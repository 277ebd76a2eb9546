import { createHash, createPublicKey, verify } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type Loopback, serveHttp } from './loopback.ts'

/** A package as it arrived. */
export interface Posted {
  method: string
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Another controller, which takes packages; what it answers is the test's. */
export interface Receiver extends Loopback {
  endpoint: string
  posted: Posted[]
  answer: (res: ServerResponse, req: IncomingMessage) => unknown
}

export async function openReceiver(): Promise<Receiver> {
  const posted: Posted[] = []
  const receiver: { answer: Receiver['answer'] } = { answer: res => res.writeHead(201).end() }
  const server = await serveHttp(async (req, res) => {
    const body = await buffer(req)
    posted.push({ method: req.method ?? '', headers: req.headers, body })
    await receiver.answer(res, req)
  })
  return Object.assign(receiver, server, { endpoint: `${server.url}/packages`, posted })
}

export const digestOf = (body: Buffer): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`

/** Checks a signature as a stranger would, who read RFC 9421 and nothing of ours. @returns what it covers */
export function verifiedBy(
  keys: { kid: string; kty: string; crv: string; x: string }[],
  url: string,
  { method, headers }: Posted,
): string[] {
  const [, parameters = '', names = '', keyId] =
    /^dsar=((\([^)]*\));.*keyid="([^"]+)".*)$/.exec(String(headers['signature-input'])) ?? []
  const covered = [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name)
  const values: Record<string, unknown> = { ...headers, '@method': method, '@target-uri': url }
  const base = [...covered.map(name => `"${name}": ${values[name]}`), `"@signature-params": ${parameters}`].join('\n')
  const jwk = keys.find(({ kid }) => kid === keyId)
  const [, signature = ''] = /^dsar=:(.+):$/.exec(String(headers.signature)) ?? []
  if (!jwk) throw new Error(`There is no key ${keyId}.`)
  const key = createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: 'jwk' })
  if (!verify(null, Buffer.from(base), key, Buffer.from(signature, 'base64'))) throw new Error('The signature does not hold.')
  return covered
}
