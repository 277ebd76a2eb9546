import { Type } from 'typebox'
import type { Answer } from '../adapters/answer.ts'
import { type AdapterCall, readAnswer } from '../adapters/call-adapter.ts'
import { CALL_LIMITS } from '../adapters/call-limits.ts'
import { AdapterFault } from '../adapters/fault.ts'
import type { Connector } from '../adapters/kinds.ts'
import { validateManifest } from '../adapters/manifest.ts'
import { fileOpener } from '../adapters/open-file.ts'
import { readerOf, readWhole } from '../adapters/read-json.ts'
import { parseStatement } from '../adapters/strict-json.ts'
import { Problem } from '../domain/problem.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Outbound } from '../platform/outbound.ts'
import { openStream } from '../platform/sealed-stream.ts'
import type { DataKeyOf } from '../requests/data-key.ts'
import { type Delivered, deliveredFor, dropDelivered } from './delivered-answers.store.ts'

export interface HandedDeps {
  read: Tx
  blobs: BlobStore
  clock: Clock
  outbound: Pick<Outbound, 'request' | 'keepsFiles'>
  keyOf: DataKeyOf
}

/** A task that was handed over lies there until it is answered; nobody has to look oftener, for whoever answers says so. */
const LOOK_EVERY_SECONDS = 6 * 60 * 60
const HANDED = 'handed'

/** What can be said instead of a result: that nobody of these identities is known there, or that it cannot be done, and a person has to look. */
const Said = Type.Object({ taskId: Type.String(), status: Type.Enum(['unknown_person', 'refused']) })
const readSaid = readerOf(Said)

/**
 * Services that cannot be reached from here and fetch their tasks, and people who do by hand what no service does. They describe
 * themselves in the settings; a task waits until its answer was delivered, which is then judged like any other.
 */
export const handedConnector = (deps: HandedDeps): Connector => ({
  async manifest({ baseUrl, credentials, settings }) {
    const errors = [
      ...(baseUrl ? [{ pointer: '/baseUrl', detail: 'Nobody is called: tasks are fetched, or done by people.' }] : []),
      ...(Object.keys(credentials).length > 0 ? [{ pointer: '/credentials', detail: 'Nobody is called.' }] : []),
    ]
    if (errors.length > 0) throw new Problem('manifest_refused', 'It is not called.', { errors })
    return validateManifest(settings.manifest)
  },
  async ask(call) {
    const delivered = await deliveredFor(deps.read, call.task.taskId)
    if (!delivered) return { kind: 'accepted', location: HANDED, retryAfterSeconds: LOOK_EVERY_SECONDS }
    const answer = await readDelivered(deps, call, delivered)
    // What cannot be used is forgotten, so that the task can be answered anew.
    if (answer.kind === 'later' || answer.kind === 'failed') await dropDelivered(deps.read, call.task.taskId)
    return answer
  },
})

async function readDelivered(
  deps: HandedDeps,
  { limits = CALL_LIMITS, ...call }: AdapterCall,
  { blobKey, mediaType }: Delivered,
): Promise<Answer> {
  const { task, sink } = call
  const key = await deps.keyOf(task.requestId)
  const sealed = await deps.blobs.get(blobKey)
  const body = openStream(key, blobKey)
  sealed.once('error', error => body.destroy(error))
  body.once('close', () => sealed.destroy())
  sealed.pipe(body)
  const inline = fileOpener(deps, { ...call, taskId: task.taskId, limits })
  try {
    if (mediaType === STATUS) return said(task.taskId, parseStatement(await readWhole(body, limits), limits.depth, 'the answer'))
    return await readAnswer(task, { mediaType, body }, { limits, ...(sink && { sink }) }, async file => {
      if (file.url !== undefined) throw new AdapterFault('file_refused', 'a file is not in the answer itself')
      return inline(file)
    })
  } catch (error) {
    if (!(error instanceof AdapterFault)) throw error
    return { kind: 'failed', code: error.code, detail: error.detail }
  } finally {
    body.destroy()
  }
}

/** As which an answer is kept that is no result. */
export const STATUS = 'application/status+json'

const TASK = '01981f6e-2a50-7c3a-9d57-0d6f2b1c4e88'
const MATCHED = [{ type: 'user_id', value: 'u-1029' }]
const like = (example: unknown) => ({ schema: Type.Unsafe<unknown>({ examples: [example] }) })
/** An answer as it is sent to us: read as it comes, and judged later. */
export const ANSWER_BODY = {
  content: {
    'application/json': like({ taskId: TASK, matched: MATCHED, datasets: [{ name: 'letters', outcome: 'completed', count: 2 }] }),
    'application/x-ndjson': like(
      `{"dataset":"letters","record":{"year":1987}}\n${JSON.stringify({ end: { matched: MATCHED, counts: { letters: 1 } } })}\n`,
    ),
    [STATUS]: like({ taskId: TASK, status: 'unknown_person' }),
  },
}

function said(taskId: string, json: unknown): Answer {
  const { status, ...about } = readSaid(json, 'the answer')
  if (about.taskId !== taskId) throw new AdapterFault('task_mismatch', 'the answer is to another task')
  return status === 'unknown_person'
    ? { kind: 'unknown' }
    : { kind: 'failed', code: 'refused', detail: 'it says that it cannot do this' }
}
