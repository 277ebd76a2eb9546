import { randomUUID } from 'node:crypto'
import type { Answer } from './answer.ts'
import { TaskProblem } from './problem.ts'
import type { Task } from './protocol.ts'
import { fingerprint } from './task.ts'

/** A task being answered, or answered and remembered. */
export interface Work {
  /** Under which it is polled; not to be guessed. */
  id: string
  task: Task
  answer: Promise<Answer>
  state: 'working' | 'done' | 'failed'
  /** Somebody was promised the answer for later. */
  promised: boolean
  stop: AbortController
}

export interface Workbench {
  /**
   * Takes up a task, or finds it already taken up: the same task is never worked on twice at a time.
   * @throws TaskProblem 422 when this id stood for another task within the last hour.
   */
  take(task: Task, run: (signal: AbortSignal) => Promise<Answer>): Work
  find(id: string): Work | undefined
  /** Lets go of the answer. That the id stood for this task stays known. */
  drop(work: Work): void
  /** Gives up what was promised for later. */
  stop(): void
}

const KEPT_MS = 60 * 60 * 1000

interface Entry {
  same: string
  at: number
  work: Work | undefined
}

/** Everything is in memory: after a restart a promised answer is asked for again, and that must be harmless. */
export function createWorkbench(now: () => Date): Workbench {
  const entries = new Map<string, Entry>()
  const byId = new Map<string, Work>()

  const drop = (work: Work): void => {
    byId.delete(work.id)
    const entry = entries.get(work.task.taskId)
    if (entry?.work === work) entry.work = undefined
  }
  const forgetOld = (): void => {
    for (const [taskId, { at, work }] of entries) {
      if (at > now().getTime() - KEPT_MS) return // in the order they came
      if (work?.state === 'working') continue
      if (work) drop(work)
      entries.delete(taskId)
    }
  }
  return {
    take(task, run) {
      forgetOld()
      const same = fingerprint(task)
      const entry = entries.get(task.taskId) ?? { same, at: now().getTime(), work: undefined }
      if (entry.same !== same) throw new TaskProblem(422, 'key_reused', 'This Idempotency-Key was used for another task.')
      entries.set(task.taskId, entry)
      if (entry.work && entry.work.state !== 'failed') return entry.work
      if (entry.work) drop(entry.work)
      entry.work = start(task, run)
      byId.set(entry.work.id, entry.work)
      return entry.work
    },
    find: id => byId.get(id),
    drop,
    stop: () => {
      for (const work of byId.values()) if (work.promised) work.stop.abort()
    },
  }
}

function start(task: Task, run: (signal: AbortSignal) => Promise<Answer>): Work {
  const stop = new AbortController()
  const answer = run(stop.signal)
  const work: Work = { id: randomUUID(), task, answer, state: 'working', promised: false, stop }
  answer.then(
    () => {
      work.state = 'done'
    },
    () => {
      work.state = 'failed'
    },
  )
  return work
}
