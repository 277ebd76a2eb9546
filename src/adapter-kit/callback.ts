import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import type { Signer } from './sign.ts'
import type { Work } from './workbench.ts'

export interface AnnounceDeps {
  signer: Signer
  now(): Date
  onError(error: unknown): void
}

/** Waits before each further try. Whoever is not reached in the end finds the answer by polling. */
const PAUSES_MS = [1_000, 5_000, 30_000, 120_000]
const TIMEOUT_MS = 10_000

/**
 * Tells that a promised answer is ready. A result travels along; where there is something to fetch (a stream, an unknown
 * person, a failure) the message only says so, and the location gives what the call itself would have given.
 */
export async function announce(deps: AnnounceDeps, work: Work): Promise<void> {
  const { taskId, callbackUrl } = work.task
  const answer = await work.answer.catch(() => undefined)
  if (!callbackUrl || work.stop.signal.aborted) return
  const body = JSON.stringify(bodyOf(taskId, answer))
  const id = randomUUID()
  for (const pause of [...PAUSES_MS, undefined]) {
    const failure = await post(deps, work, callbackUrl, id, body)
    if (!failure || work.stop.signal.aborted) return
    if (pause === undefined) deps.onError(failure)
    else await sleep(pause, undefined, { ref: false, signal: work.stop.signal }).catch(() => undefined)
  }
}

const bodyOf = (taskId: string, answer: Answer | undefined): object =>
  answer?.kind === 'result' ? answer.body : { taskId, status: 'done' }

async function post({ signer, now }: AnnounceDeps, work: Work, url: string, id: string, body: string): Promise<unknown> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signer.sign(id, now(), body) },
      body,
      redirect: 'error',
      signal: AbortSignal.any([work.stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    return response.ok ? undefined : new Error(`The callback was answered with ${response.status}.`)
  } catch (error) {
    return error
  }
}
