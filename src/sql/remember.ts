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
  return {
    recall({ taskId, action }: TaskCall): Answer | undefined {
      const known = answers.get(`${action} ${taskId}`)
      return known && now().getTime() - known.at < HOUR_MS ? known.answer : undefined
    },
    /** What is worth asking for again is not kept. */
    keep({ taskId, action }: TaskCall, answer: Answer): void {
      if (answer.kind !== 'result' || answer.datasets.some(({ outcome }) => outcome === 'failed')) return
      answers.set(`${action} ${taskId}`, { answer, at: now().getTime() })
      for (const oldest of answers.keys()) if (answers.size > AT_MOST) answers.delete(oldest)
    },
  }
}
