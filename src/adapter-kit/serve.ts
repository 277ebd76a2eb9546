import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { takeBatch } from './batch.ts'
import type { FileLinks, LinkedFile } from './file-links.ts'
import { TaskProblem } from './problem.ts'
import { READ_ACTIONS } from './protocol.ts'
import { sendAnswer, sendFile, sendJson, sendNothing, sendProblem } from './send.ts'
import type { Signer } from './sign.ts'
import { readTask } from './task.ts'
import { baseOf, locationOf, requireJson, type WorkDeps, workOn } from './work-on.ts'
import type { Work } from './workbench.ts'

export interface Deps extends WorkDeps {
  signer: Signer
  links: FileLinks
  openFile(key: string): Promise<Readable | Uint8Array | undefined>
}

const BODY_LIMIT = 1024 * 1024

/** Answers the calls of the protocol. Nothing is looked at before the signature, but for links to files, which speak for themselves. */
export function serve(deps: Deps): RequestListener {
  return (req, res) => {
    route(deps, req, res).catch(error => {
      if (!(error instanceof TaskProblem) && !hungUp(error)) deps.onError(error)
      if (res.headersSent) res.destroy()
      else sendProblem(res, error)
    })
  }
}

async function route(deps: Deps, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [collection = '', id, ...deeper] = partsBelow(deps.prefix, req.url)
  if (collection === 'files' && id && req.method === 'GET') return file(deps, id, res)
  const body = await bodyOf(req)
  deps.signer.verify(req.headers, body)
  const call = `${req.method} ${[collection, ...(id ? ['*'] : []), ...deeper].join('/')}`
  if (call === 'GET manifest') return sendJson(res, 200, deps.manifest)
  if (call === 'POST tasks') return take(deps, req, body, res)
  if (call === 'POST batches') return takeBatch(deps, req, body, res)
  if (call === 'GET tasks/*') return look(deps, req, found(deps, id), res)
  if (call === 'DELETE tasks/*') return cancel(deps, found(deps, id), res)
  throw new TaskProblem(404, 'not_found', 'There is no such thing here.')
}

/** What stands below the prefix. @throws TaskProblem 404 for an address that is not below it */
function partsBelow(prefix: string, url = ''): string[] {
  const [path = ''] = url.split('?')
  if (!path.startsWith(`${prefix}/`)) throw new TaskProblem(404, 'not_found', 'There is no such thing here.')
  return path.slice(prefix.length + 1).split('/')
}

async function take(deps: Deps, req: IncomingMessage, body: string, res: ServerResponse): Promise<void> {
  requireJson(req)
  const task = readTask(body, deps.manifest)
  // The header is outside the signature, so it can only repeat what the signed body says. Quoted or bare.
  if (req.headers['idempotency-key']?.toString().replaceAll('"', '') !== task.taskId)
    throw new TaskProblem(400, 'invalid_request', 'Idempotency-Key is the id of the task.')
  const { work, isPromised } = await workOn(deps, req, task)
  return isPromised ? promise(deps, req, work, res) : give(deps, req, work, res)
}

function look(deps: Deps, req: IncomingMessage, work: Work, res: ServerResponse): Promise<void> | void {
  return work.state === 'working' ? promise(deps, req, work, res) : give(deps, req, work, res)
}

/** Reading can be given up at any time; a change only where the author said so, and only while it lasts. */
function cancel({ manifest, workbench }: Deps, work: Work, res: ServerResponse): void {
  const reads = READ_ACTIONS.some(action => action === work.task.action)
  if (!reads && (!manifest.cancellable || work.state !== 'working'))
    throw new TaskProblem(409, 'not_cancellable', 'This can no longer be stopped.')
  work.stop.abort()
  workbench.drop(work)
  sendNothing(res)
}

async function give(deps: Deps, req: IncomingMessage, work: Work, res: ServerResponse): Promise<void> {
  await sendAnswer(res, await work.answer, linked => `${baseOf(deps, req)}/files/${deps.links.seal(linked)}`)
}

function promise(deps: Deps, req: IncomingMessage, work: Work, res: ServerResponse): void {
  const body = { taskId: work.task.taskId, status: 'working' }
  sendJson(res, 202, body, { location: locationOf(deps, req, work), 'retry-after': String(deps.pollEvery) })
}

async function file({ links, openFile }: Deps, token: string, res: ServerResponse): Promise<void> {
  const linked: LinkedFile | undefined = links.open(token)
  const bytes = linked && (await openFile(linked.key))
  if (!bytes) throw new TaskProblem(404, 'not_found', 'There is no such file, or the link is too old.')
  await sendFile(res, linked, bytes)
}

function found({ workbench }: Deps, id = ''): Work {
  const work = workbench.find(id)
  if (!work) throw new TaskProblem(404, 'not_found', 'No such task is known here (any more): send it again.')
  return work
}

const hungUp = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET'].includes(String(error.code))

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_LIMIT) throw new TaskProblem(413, 'too_large', 'A task is at most 1 MiB.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
