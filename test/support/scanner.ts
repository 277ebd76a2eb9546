import type { ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Answered } from './callers.ts'
import { type Loopback, serveHttp } from './loopback.ts'
import type { Service } from './service.ts'

/** What every scanner knows and nothing is harmed by (eicar.org); in two parts, so that this file is not taken for it. */
export const EICAR = Buffer.from(`X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE'}!$H+H*`)

/** Uploads bytes to a request, as no other route is called. */
export async function upload(
  { url }: Pick<Service, 'url'>,
  token: string,
  path: string,
  bytes: Buffer,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const response = await fetch(`${url}${path}/attachments`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      'file-name': 'proof.pdf',
      ...headers,
    },
    body: new Uint8Array(bytes),
  })
  const body = (await response.json()) as Answered['body']
  return { status: response.status, headers: response.headers, body, bytes: Buffer.from(JSON.stringify(body)) }
}

/** A small scanner: it knows one signature, and says in between whatever the test wants. */
export interface Scanner extends Loopback {
  /** What it was sent: headers and bytes. */
  asked: { headers: Record<string, unknown>; bytes: Buffer }[]
  /** Answers instead of it. */
  says: ((res: ServerResponse) => unknown) | undefined
}

export async function openScanner(): Promise<Scanner> {
  const asked: Scanner['asked'] = []
  const scanner: { says: Scanner['says'] } = { says: undefined }
  const server = await serveHttp(async (req, res) => {
    const bytes = await buffer(req)
    asked.push({ headers: req.headers, bytes })
    if (scanner.says) return scanner.says(res)
    const verdict = bytes.includes(EICAR) ? { clean: false, found: 'Win.Test.EICAR_HDB-1' } : { clean: true }
    res.setHeader('content-type', 'application/json').end(JSON.stringify(verdict))
  })
  return Object.assign(scanner, server, { asked })
}
