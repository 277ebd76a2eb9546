import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { endpoint } from '../../adapters/fetch-manifest.ts'
import type { TaskCall } from '../../adapters/protocol.ts'
import { parseRetryAfter } from '../../adapters/retry.ts'
import { verifyCallback } from '../../adapters/signing.ts'
import { isObject } from '../../adapters/strict-json.ts'
import { Problem } from '../../domain/problem.ts'
import { realTime } from '../../platform/clock.ts'
import type { Check, Finding } from '../check.ts'
import { insist, Objection } from '../objection.ts'
import type { Probe } from '../probe.ts'
import type { Heard, Wire } from '../wire.ts'

export const AT_ONCE = { notApplicable: 'It answers at once, also when it is asked to take its time.' }

interface Promised {
  task: TaskCall
  location: string
}

/** Has it promise a locate. Undefined where it answers at once. */
export async function promiseOf(probe: Probe, { calledBack }: { calledBack: boolean }): Promise<Promised | undefined> {
  const { callbacks, wire } = probe
  const asked = probe.task('locate', probe.known)
  const task = callbacks && calledBack ? { ...asked, callbackUrl: callbacks.urlFor(asked.taskId) } : asked
  const heard = await wire.post(task, { headers: { prefer: 'respond-async' } })
  if (heard.status === 202) return { task, location: locationIn(wire, heard) }
  insist(heard.status === 200 || heard.status === 204, `A locate was answered with ${heard.status}.`)
  return undefined
}

/** Where a promise says that its answer will be. @throws Objection where it does not, or not as it should */
export function locationIn(wire: Wire, { headers }: Heard): string {
  const location = URL.parse(headers.location ?? '', endpoint(wire.baseUrl, 'tasks'))
  insist(headers.location && location, 'A promise came without the location where its answer will be.')
  insist(location.origin === new URL(wire.baseUrl).origin, 'The location of a promised answer is on another host.')
  insist(parseRetryAfter(headers['retry-after'], new Date(0)) !== undefined, 'A promise came without Retry-After.')
  return location.href
}

/** What stands at the location of a promise in the end. */
export async function kept({ wire, patienceMs }: Probe, location: string): Promise<Heard> {
  for (let left = patienceMs; ; ) {
    const heard = await wire.send(location, undefined)
    if (heard.status !== 202) return heard
    insist(left > 0, 'A promised answer took longer than this check waits.')
    const ms = Math.min((parseRetryAfter(heard.headers['retry-after'], new Date(0)) ?? 1) * 1000, left)
    await sleep(ms)
    left -= Math.max(ms, 100)
  }
}

async function promisesAreKept(probe: Probe): Promise<Finding> {
  const promised = await promiseOf(probe, { calledBack: true })
  if (!promised) return AT_ONCE
  const unsigned = await probe.wire.send(promised.location, undefined, { secrets: [] })
  insist(unsigned.status === 401, `An unsigned look at a promised answer was answered with ${unsigned.status} instead of 401.`)
  const [first, second] = [await kept(probe, promised.location), await kept(probe, promised.location)]
  insist(first.status === 200, `A promised answer was ${first.status} in the end.`)
  insist(first.text === second.text && second.status === 200, 'A promised answer, looked at twice, was not the same.')
  const answer = json(first.text)
  insist(isObject(answer) && answer.taskId === promised.task.taskId, 'The promised answer is to another task.')
  const now = await probe.locate(probe.known)
  const differs = countsIn(answer).some(([name, count]) => (now.get(name) ?? 0) !== count)
  insist(!differs, 'What was promised is not what is answered at once.')
  return 'Promised, and later answered as it would have been at once.'
}

async function callbacksAreSigned(probe: Probe): Promise<Finding> {
  const { callbacks, wire, patienceMs, clock } = probe
  if (!callbacks) return { notApplicable: 'Nobody listens here for what it calls back with.' }
  const promised = await promiseOf(probe, { calledBack: true })
  if (!promised) return AT_ONCE
  const came = await callbacks.arrived(promised.task.taskId, patienceMs)
  if (!came) return { notApplicable: 'It does not call back, and is polled.' }
  try {
    verifyCallback(wire.secrets, came.headers, came.body, realTime(clock))
  } catch (error) {
    if (error instanceof Problem) throw new Objection('A callback came that is not signed with the shared secret.')
    throw error
  }
  const body = json(came.body.toString())
  insist(isObject(body) && body.taskId === promised.task.taskId, 'A callback came that does not name its task.')
  const answer = await kept(probe, promised.location)
  insist(answer.status === 200, `After it called back, what it promised was answered with ${answer.status}.`)
  const isWord = body.status === 'done' && body.datasets === undefined
  const differs = !isWord && !isDeepStrictEqual(body, json(answer.text))
  insist(!differs, 'It called back with something else than stands at the location of the promise.')
  return 'It called back, signed, and the answer stands where it was promised.'
}

export function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Objection('What was to be JSON is none.')
  }
}

export const countsIn = (answer: unknown): (readonly [string, unknown])[] =>
  isObject(answer) && Array.isArray(answer.datasets)
    ? answer.datasets.filter(isObject).map(({ name, count = 0 }) => [String(name), count] as const)
    : []

export const PROMISE_CHECKS: readonly Check[] = [
  {
    id: 'promised',
    title: 'What is promised with 202 is kept at a location of its own, for signed calls alone',
    reference: 'openapi/adapter.yaml, GET /tasks/{promise}',
    needs: { wire: true, person: 'known' },
    run: promisesAreKept,
  },
  {
    id: 'callback',
    title: 'Whoever calls back signs, and says what stands at the location of the promise',
    reference: 'openapi/adapter.yaml, callbacks',
    needs: { wire: true, person: 'known' },
    run: callbacksAreSigned,
  },
]
