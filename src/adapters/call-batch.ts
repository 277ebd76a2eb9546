import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import { realTime } from '../platform/clock.ts'
import { OutboundError } from '../platform/outbound.ts'
import { together } from '../platform/together.ts'
import type { Answer } from './answer.ts'
import { type CallDeps, callAdapter, collects, meaningOf, type ServiceCall } from './call-adapter.ts'
import { CALL_LIMITS, type CallLimits } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import { endpoint } from './fetch-manifest.ts'
import { judgeAnswer } from './judge-answer.ts'
import { mediaTypeOf, readerOf, readWhole } from './read-json.ts'
import { parseRetryAfter } from './retry.ts'
import { signCall } from './signing.ts'
import { parseStatement } from './strict-json.ts'
import { faultOf, troubleWith } from './trouble.ts'

/** However many an adapter takes: so that the answer can be read in one piece. */
const MOST = 100
/** What is longer is asked alone, so that a whole batch stays below what any adapter has to take. */
const BYTES_OF_ONE = 8 * 1024

const BatchAnswer = Type.Object({
  answers: Type.Array(
    Type.Object({
      taskId: Type.String({ maxLength: 128 }),
      /** Of HTTP, as if the task had been asked alone. */
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      location: Type.Optional(Type.String({ maxLength: 4096 })),
      /** Seconds. */
      retryAfter: Type.Optional(Type.Integer({ minimum: 0 })),
      body: Type.Optional(Type.Unknown()),
    }),
    { maxItems: MOST },
  ),
})
type Entry = Type.Static<typeof BatchAnswer>['answers'][number]
const readBatchAnswer = readerOf(BatchAnswer)

/**
 * Asks adapters, and those that take several tasks in one call what comes at the same time in one. Each task is judged by its own answer as
 * if it had been asked alone; a copy is, because it comes as a stream, and so is the way back to a promise.
 */
export function createCallInBatches(deps: CallDeps): (call: ServiceCall) => Promise<Answer> {
  const doors = new Map<string, (call: ServiceCall) => Promise<Answer>>()
  return call => {
    const most = Math.min(call.batch ?? 1, MOST)
    if (most < 2 || !fitsInBatch(call)) return callAdapter(deps, call)
    const { lingerMs } = call.limits ?? CALL_LIMITS
    const key = JSON.stringify([call.baseUrl, call.secrets, most])
    const door =
      doors.get(key) ?? together((calls: ServiceCall[]) => askTogether(deps, calls), { atOnce: Infinity, most, lingerMs })
    doors.set(key, door)
    return unlessAborted(door(call), call.signal)
  }
}

const fitsInBatch = ({ task, location }: ServiceCall): boolean =>
  !collects(task) && location === undefined && JSON.stringify(task).length <= BYTES_OF_ONE

async function askTogether(deps: CallDeps, calls: readonly ServiceCall[]): Promise<Answer[]> {
  const [first] = calls
  if (!first) return []
  if (calls.length === 1) return [await callAdapter(deps, first)]
  const url = endpoint(first.baseUrl, 'batches')
  let afterSeconds: number | undefined
  try {
    const answer = await request(deps, first, url, calls)
    afterSeconds = parseRetryAfter(answer.headers['retry-after'], realTime(deps.clock))
    const entries = await read(answer, calls, first.limits)
    return calls.map(call => judge(deps, call, entries.get(call.task.taskId), url))
  } catch (error) {
    const trouble = troubleWith(error, afterSeconds)
    // What is wrong with the whole for good may be the fault of one of them: alone, each has what it deserves.
    return trouble.kind === 'failed' ? Promise.all(calls.map(call => callAdapter(deps, call))) : calls.map(() => trouble)
  }
}

function request(
  { outbound, clock }: CallDeps,
  { secrets, limits = CALL_LIMITS }: ServiceCall,
  url: string,
  calls: readonly ServiceCall[],
) {
  const body = JSON.stringify({ tasks: calls.map(({ task }) => task) })
  const { headersMs, idleMs, totalMs, jsonBytes } = limits
  return outbound.request({
    method: 'POST',
    url,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      ...signCall(secrets, randomUUID(), realTime(clock), body),
    },
    body,
    limits: { headersMs, idleMs, totalMs, bytes: jsonBytes },
    signal: whenAllAbort(calls.map(({ signal }) => signal)),
  })
}

/** @throws AdapterFault for an answer that names a task twice, or one that was not asked: it says nothing that could be relied on */
async function read(
  answer: Awaited<ReturnType<typeof request>>,
  calls: readonly ServiceCall[],
  limits: CallLimits = CALL_LIMITS,
): Promise<ReadonlyMap<string, Entry>> {
  const isReadable = answer.status === 200 && mediaTypeOf(answer) === 'application/json'
  if (!isReadable) answer.discard()
  if (answer.status !== 200) throw faultOf(answer.status)
  if (!isReadable) throw new AdapterFault('unexpected_media_type', 'the answer is not JSON')
  const json = parseStatement(await readWhole(answer.body, limits), limits.depth, 'the answer')
  const { answers } = readBatchAnswer(json, 'the answer')
  const entries = new Map(answers.map(entry => [entry.taskId, entry]))
  const asked = new Set(calls.map(({ task }) => task.taskId))
  if (entries.size < answers.length || answers.some(({ taskId }) => !asked.has(taskId)))
    throw new AdapterFault('task_mismatch', 'the answer names a task twice, or one that was not asked')
  return entries
}

function judge(deps: CallDeps, call: ServiceCall, entry: Entry | undefined, url: string): Answer {
  try {
    if (!entry) throw new AdapterFault('cut', 'the batch was answered without this task')
    return entry.status === 200 ? judgeAnswer(call.task, entry.body) : meaningOf(deps, call, entry, url)
  } catch (error) {
    return troubleWith(error, entry?.retryAfter)
  }
}

/** A task that is given up is answered so at once, while the others go on. */
function unlessAborted(answer: Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
  if (!signal) return answer
  return new Promise((resolve, reject) => {
    const giveUp = () => resolve(troubleWith(new OutboundError('aborted', 'nobody waits for the answer any more')))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

function whenAllAbort(signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  const all = new AbortController()
  let waiting = signals.length
  const oneLess = () => {
    waiting -= 1
    if (waiting === 0) all.abort()
  }
  for (const signal of signals)
    if (signal?.aborted) oneLess()
    else signal?.addEventListener('abort', oneLess, { once: true })
  return all.signal
}
