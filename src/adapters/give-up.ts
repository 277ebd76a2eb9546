import { OutboundError } from '../platform/outbound.ts'
import type { Answer } from './answer.ts'
import { troubleWith } from './trouble.ts'

/** A task that is given up is answered so at once, while the others go on. */
export function unlessAborted(answer: Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
  if (!signal) return answer
  return new Promise((resolve, reject) => {
    const giveUp = () => resolve(troubleWith(new OutboundError('aborted', 'nobody waits for the answer any more')))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

/** Aborts once every one of them has: a task that nobody can give up keeps a call alive. */
export function whenAllAbort(signals: readonly (AbortSignal | undefined)[]): AbortSignal {
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
