import { Readable } from 'node:stream'
import { type Clock, realTime } from '../platform/clock.ts'
import type { Outbound } from '../platform/outbound.ts'
import type { CallLimits } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import { endpoint } from './fetch-manifest.ts'
import type { FileLine } from './protocol.ts'
import { type Secrets, signCall } from './signing.ts'

export interface Deps {
  outbound: Pick<Outbound, 'request' | 'keepsFiles'>
  clock: Clock
}

export interface FileSource {
  baseUrl: string
  secrets: Secrets
  taskId: string
  limits: CallLimits
  signal?: AbortSignal
}

/** Decoded at once; divisible by four. */
const BASE64_PIECE = 64 * 1024

/**
 * Opens the files that one collect names, one after another, holding all of them together to `streamBytes`. A file is in the line
 * itself or at the adapter's own origin, where the call is signed; elsewhere only where the operator says that
 * files are kept (no adapter has us ask another for what it holds), and then unsigned: nobody else needs to see what we say to the adapter.
 */
export function fileOpener(deps: Deps, source: FileSource): (file: FileLine) => Promise<Readable> {
  let left = source.limits.streamBytes
  const take = (bytes: number): void => {
    left -= bytes
    if (left < 0) throw new AdapterFault('too_large', 'the files are too large together')
  }
  return async file => {
    const bytes = await bytesOf(deps, source, file)
    return Readable.from(measured(bytes, file.size, source.limits.fileBytes, take), { objectMode: false })
  }
}

async function bytesOf(
  deps: Deps,
  source: FileSource,
  { url, base64 }: FileLine,
): Promise<AsyncIterable<Buffer> | Iterable<Buffer>> {
  if ((url === undefined) === (base64 === undefined)) throw new AdapterFault('not_valid', 'a file has either a url or base64')
  return url === undefined ? decoded(base64 ?? '') : fetched(deps, source, url)
}

function decoded(base64: string): Iterable<Buffer> {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw new AdapterFault('not_valid', 'a file is not base64')
  return (function* () {
    for (let at = 0; at < base64.length; at += BASE64_PIECE) yield Buffer.from(base64.slice(at, at + BASE64_PIECE), 'base64')
  })()
}

async function fetched({ outbound, clock }: Deps, source: FileSource, location: string): Promise<AsyncIterable<Buffer>> {
  const { baseUrl, secrets, taskId, limits, signal } = source
  const url = URL.parse(location, endpoint(baseUrl, ''))
  const isOwn = url?.origin === new URL(baseUrl).origin
  if (!url || url.username || url.password || !(isOwn || outbound.keepsFiles(url))) {
    throw new AdapterFault('file_refused', 'a file is kept at another place than the adapter')
  }
  const answer = await outbound.request({
    method: 'GET',
    url: url.href,
    headers: isOwn ? signCall(secrets, taskId, realTime(clock), '') : {},
    limits: { headersMs: limits.headersMs, idleMs: limits.idleMs, totalMs: limits.totalMs, bytes: limits.fileBytes },
    ...(signal && { signal }),
  })
  if (answer.status === 200) return answer.body
  answer.discard()
  throw new AdapterFault('file_unavailable', `a file was answered with ${answer.status}`)
}

async function* measured(
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
  size: number | undefined,
  limit: number,
  take: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let seen = 0
  for await (const piece of bytes) {
    seen += piece.length
    if (seen > limit) throw new AdapterFault('too_large', 'a file is too large')
    take(piece.length)
    yield piece
  }
  if (size !== undefined && seen !== size) throw new AdapterFault('count_mismatch', 'a file is not as long as announced')
}
