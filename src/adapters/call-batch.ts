import { randomUUID } from 'node:crypto'
import { realTime } from '../platform/clock.ts'
import { togetherBy } from '../platform/together.ts'
import { type Answer, isTrouble } from './answer.ts'
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
  const askInBatch = togetherBy(
    ({ baseUrl, secrets, batch }: ServiceCall) => JSON.stringify([baseUrl, secrets, batch]),
    calls => askTogether(deps, calls),
    call => ({ atOnce: Infinity, most: mostOf(call), lingerMs: (call.limits ?? CALL_LIMITS).lingerMs }),
  )
  return call => (mostOf(call) > 1 && fitsInBatch(call) ? unlessAborted(askInBatch(call), call.signal) : callAdapter(deps, call))
}

const mostOf = ({ batch = 1 }: ServiceCall): number => Math.min(batch, MOST)

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
    return troubleOnce(calls.map(call => judge(deps, call, entries.get(call.task.taskId), url)))
  } catch (error) {
    const trouble = troubleWith(error, afterSeconds)
    // What is wrong with the whole for good may be the fault of one of them: alone, each has what it deserves.
    return trouble.kind === 'failed'
      ? Promise.all(calls.map(call => callAdapter(deps, call)))
      : troubleOnce(calls.map(() => trouble))
  }
}

/** However many tasks a call came to nothing for, the adapter was out of order once. */
function troubleOnce(answers: Answer[]): Answer[] {
  const first = answers.findIndex(isTrouble)
  return answers.map((answer, n) => (isTrouble(answer) && n > first ? { ...answer, shared: true } : answer))
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
