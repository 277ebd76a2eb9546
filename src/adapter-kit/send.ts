import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Answer } from './answer.ts'
import type { LinkedFile } from './file-links.ts'
import { problemBody, TaskProblem } from './problem.ts'

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

export function sendJson(res: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  res.writeHead(status, { ...HEADERS, 'content-type': type, ...headers }).end(JSON.stringify(body))
}

export function sendNothing(res: ServerResponse): void {
  res.writeHead(204, HEADERS).end()
}

/** Anything that is not a `TaskProblem` is a bare 500: what went wrong inside is nobody else's business. */
export function sendProblem(res: ServerResponse, error: unknown): void {
  const problem = error instanceof TaskProblem ? error : new TaskProblem(500, 'internal', 'Something went wrong here.')
  const later = problem.retryAfter === undefined ? undefined : { 'retry-after': String(problem.retryAfter) }
  sendJson(res, problem.status, problemBody(problem), later)
}

/** @throws what the author's functions throw; before the first byte that can still be told, after it the connection is cut. */
export async function sendAnswer(res: ServerResponse, answer: Answer, link: (file: LinkedFile) => string): Promise<void> {
  if (answer.kind === 'unknown') return sendNothing(res)
  if (answer.kind === 'result') return sendJson(res, 200, answer.body)
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  const chunks = answer.read(gone.signal, link)[Symbol.asyncIterator]()
  const first = await chunks.next()
  res.writeHead(200, { ...HEADERS, 'content-type': 'application/x-ndjson' })
  await pipeline(async function* () {
    if (!first.done) yield first.value
    yield* { [Symbol.asyncIterator]: () => chunks }
  }, res)
}

/** The bytes of a file. When they turn out to be more or fewer than promised, the connection is cut. */
export async function sendFile(res: ServerResponse, file: LinkedFile, bytes: Readable | Uint8Array): Promise<void> {
  res.writeHead(200, {
    ...HEADERS,
    'content-type': file.mediaType,
    'content-length': file.size,
    'content-disposition': 'attachment',
    'content-security-policy': 'sandbox',
  })
  await pipeline(exactly(file.size, bytes instanceof Readable ? bytes : [bytes]), res)
}

/** Node's own `strictContentLength` throws where nothing can catch it. */
async function* exactly(size: number, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const chunk of chunks) {
    sent += chunk.length
    if (sent > size) break
    yield chunk
  }
  if (sent !== size) throw new Error(`A file of ${size} bytes turned out to have another length.`)
}
