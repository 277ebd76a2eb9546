import type { ResolveResult, Result } from './protocol.ts'

/** What was answered to a change, or that nobody was known. Names the identities asked about: not to be kept for longer than needed. */
export interface Remembered {
  /** Stands for all of the task that may not change from one try to the next. */
  task: string
  body: Result | ResolveResult | null
}

/** By the id of the task. What it is told it has to know for an hour at least; JSON is enough. */
export interface AnswerStore {
  get(taskId: string): Remembered | undefined | Promise<Remembered | undefined>
  set(taskId: string, remembered: Remembered): void | Promise<void>
}
