import { createHash, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CALL_LIMITS } from '../adapters/call-limits.ts'
import { requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Database, Tx } from '../platform/database.ts'
import { sealStream } from '../platform/sealed-stream.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import type { DataKeyOf } from '../requests/data-key.ts'
import { type NoteDeps, recordContradiction } from '../tasks/second-answers.store.ts'
import { lockTask, pollNow, type Task } from '../tasks/tasks.store.ts'
import { deliveredTo, insertDelivered } from './delivered-answers.store.ts'

export type Kept = 'kept' | 'again' | 'contradicts'

export interface TakeDeps extends NoteDeps, CaseDeps, Database {
  blobs: BlobStore
  keyOf: DataKeyOf
}

/** An answer as it came: sealed already, and named by nothing yet. */
export interface Arrived {
  mediaType: string
  blobKey: string
  sha256: string
}

/**
 * Seals an answer into the blob store as it comes, so that none of it is ever plain on a disk.
 * @param look sees each piece, such as what computes a signature
 * @throws Problem `too_large`, `unprocessable` when it is empty, `invalid_request` when it breaks off; then nothing of it is left
 */
export async function receiveAnswer(
  { blobs, keyOf }: TakeDeps,
  { id, requestId }: Pick<Task, 'id' | 'requestId'>,
  mediaType: string,
  content: Readable,
  look: (piece: Buffer) => void = () => {},
): Promise<Arrived> {
  const blobKey = `requests/${requestId}/answers/${id}/${randomUUID()}`
  const hash = createHash('sha256')
  let bytes = 0
  async function* measured(): AsyncGenerator<Buffer> {
    // Who sends too much is told so, which takes a connection: it is not cut.
    for await (const piece of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > CALL_LIMITS.streamBytes)
        throw new Problem('too_large', `An answer has at most ${CALL_LIMITS.streamBytes} bytes.`)
      hash.update(piece)
      look(piece)
      yield piece
    }
    if (bytes === 0) throw new Problem('unprocessable', 'There is nothing in this answer.')
  }
  try {
    const key = await keyOf(requestId)
    await pipeline(measured, sealStream(key, blobKey), sealed => blobs.put(blobKey, sealed as AsyncIterable<Buffer>))
  } catch (error) {
    content.resume() // what is still to come is let go by, or its connection would wait for it
    throw content.errored ? new Problem('invalid_request', 'The answer broke off.') : error
  }
  return { mediaType, blobKey, sha256: hash.digest('hex') }
}

/**
 * Keeps what arrived as the answer to a task, which is then read and judged like any other. The same answer again changes
 * nothing; another goes on the record and is to be refused (`refuseSecond`), for the first one counts. `kept` is what has this blob's name.
 * @throws Problem `illegal_transition` for a task that waits for nothing
 */
export async function keepAnswer(
  deps: CaseDeps & NoteDeps,
  tx: Tx,
  asked: Pick<Task, 'id' | 'requestId'>,
  arrived: Arrived,
  by: Actor,
  { deliveredBy, needsSecond }: { deliveredBy: string; needsSecond: boolean },
): Promise<Kept> {
  const task = await lockTask(tx, asked)
  const before = await deliveredTo(tx, task.key)
  if (before) {
    if (before.sha256 === arrived.sha256) return 'again'
    await recordContradiction(deps, tx, task)
    return 'contradicts'
  }
  if (task.state !== 'accepted' && task.state !== 'running')
    throw new Problem('illegal_transition', `The task is '${task.state}' and waits for nothing.`)
  await insertDelivered(tx, task, { ...arrived, deliveredBy, needsSecond }, deps.clock.now())
  await deps.record(tx, requestStream(task.requestId), by, 'answer_delivered', {
    taskId: task.id,
    adapter: task.adapter,
    action: task.action,
    sha256: arrived.sha256,
    needsSecond,
  })
  if (!needsSecond) await goOnWith(deps, tx, task)
  return 'kept'
}

/** @throws Problem `illegal_transition` */
export function refuseSecond(kept: Kept | undefined): void {
  if (kept === 'contradicts')
    throw new Problem('illegal_transition', 'There is another answer to this task already: the first one counts.')
}

/** Has a task whose answer is there read it now. */
export async function goOnWith(deps: Pick<CaseDeps, 'enqueue'>, tx: Tx, { id }: Pick<Task, 'id'>): Promise<void> {
  await pollNow(tx, id)
  await deps.enqueue(tx, 'dispatch-tasks', {})
}
