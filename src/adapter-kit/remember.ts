import type { Answer } from './answer.ts'
import type { AnswerStore } from './answer-store.ts'
import { TaskProblem } from './problem.ts'
import type { Task } from './protocol.ts'
import { EFFECT_ACTIONS } from './protocol.ts'
import { fingerprint } from './task.ts'

type Run = (task: Task, signal: AbortSignal) => Promise<Answer>

/** Has a change that was answered once answered the same again, by whichever process. Reading anew is harmless, and fresher. */
export function remembering(store: AnswerStore | undefined, run: Run): Run {
  if (!store) return run
  return async (task, signal) => {
    if (task.dryRun || !EFFECT_ACTIONS.some(action => action === task.action)) return run(task, signal)
    const same = fingerprint(task)
    const known = await store.get(task.taskId)
    if (known && known.task !== same) throw new TaskProblem(422, 'key_reused', 'This Idempotency-Key was used for another task.')
    if (known) return known.body ? { kind: 'result', body: known.body } : { kind: 'unknown' }
    const answer = await run(task, signal)
    if (answer.kind !== 'stream')
      await store.set(task.taskId, { task: same, body: answer.kind === 'result' ? answer.body : null })
    return answer
  }
}
