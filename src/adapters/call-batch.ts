import { randomUUID } from 'node:crypto'
import { realTime } from '../platform/clock.ts'
import { together } from '../platform/together.ts'
import type { Answer } from './answer.ts'
import { type Entry, MOST, readBatch } from './batch-answer.ts'
import { type CallDeps, callAdapter, collects, meaningOf, type ServiceCall } from './call-adapter.ts'
import { CALL_LIMITS } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import { endpoint } from './fetch-manifest.ts'
import { unlessAborted, whenAllAbort } from './give-up.ts'
import { judgeAnswer } from './judge-answer.ts'
import { parseRetryAfter } from './retry.ts'
import { signCall } from './signing.ts'
import { troubleWith } from './trouble.ts'

/** What is longer is asked alone, so that a whole batch stays below what any adapter has to take. */
const BYTES_OF_ONE = 8 * 1024

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
    const entries = await readBatch(
      answer,
      calls.map(({ task }) => task),
      first.limits,
    )
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

function judge(deps: CallDeps, call: ServiceCall, entry: Entry | undefined, url: string): Answer {
  try {
    if (!entry) throw new AdapterFault('cut', 'the batch was answered without this task')
    return entry.status === 200 ? judgeAnswer(call.task, entry.body) : meaningOf(deps, call, entry, url)
  } catch (error) {
    return troubleWith(error, entry?.retryAfter)
  }
}
