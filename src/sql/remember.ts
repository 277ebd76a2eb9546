import type { Answer } from '../adapters/answer.ts'
import type { TaskCall } from '../adapters/protocol.ts'
import type { Clock } from '../platform/clock.ts'

const HOUR_MS = 3_600_000
const AT_MOST = 1000

/**
 * Remembers for an hour what came of changes, as adapters that are services do: the same task sent again has one answer. What a process
 * forgot is safe all the same: everything is done again, and there is nothing left to do.
 */
export function rememberChanges({ now }: Clock) {
  const answers = new Map<string, { answer: Answer; at: number }>()
  const underWay = new Map<string, Promise<Answer>>()
  /** What is worth asking for again is not kept. */
  const keep = (key: string, answer: Answer): void => {
    if (answer.kind !== 'result' || answer.datasets.some(({ outcome }) => outcome === 'failed')) return
    answers.set(key, { answer, at: now().getTime() })
    for (const oldest of answers.keys()) if (answers.size > AT_MOST) answers.delete(oldest)
  }
  return {
    /** Does a change, or tells what came of it: it is never worked on twice at a time. */
    async once({ taskId, action }: TaskCall, change: () => Promise<Answer>): Promise<Answer> {
      const key = `${action} ${taskId}`
      const known = answers.get(key)
      if (known && now().getTime() - known.at < HOUR_MS) return known.answer
      const begun = underWay.get(key) ?? change().finally(() => underWay.delete(key))
      underWay.set(key, begun)
      const answer = await begun
      keep(key, answer)
      return answer
    },
  }
}
