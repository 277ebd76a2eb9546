import type { Tx } from '../platform/database.ts'
import { togetherBy } from '../platform/together.ts'
import { type Came, type ReceiveDeps, receiveAnswer } from './receive-answer.ts'
import type { SpooledPart } from './spool.ts'
import type { Task } from './tasks.store.ts'

/** What came of an attempt, to be taken in. */
export interface Arrived {
  task: Task
  answer: Came
  parts: SpooledPart[]
}

/** Takes in what came. Whether it was kept, as `receiveAnswer` says. */
export type Receive = (arrived: Arrived) => Promise<boolean>

/** One transaction of a request at a time, and none that holds it for long. */
const AT_ONCE = { atOnce: 1, most: 8 }

/**
 * Answers to one request are taken in one at a time, and those of its adapters come all at once. So what comes while one is being taken
 * in waits here instead of at the lock of the request, and goes in one transaction. Where that fails it has failed for all in it.
 */
export const receivingTogether = (deps: ReceiveDeps): Receive =>
  togetherBy(
    ({ task }) => task.requestId,
    arrived => deps.transact(tx => receiveInTurn(deps, tx, arrived)),
    () => AT_ONCE,
  )

async function receiveInTurn(deps: ReceiveDeps, tx: Tx, arrived: Arrived[]): Promise<boolean[]> {
  const kept: boolean[] = []
  for (const { task, answer, parts } of arrived) kept.push(await receiveAnswer(deps, tx, task, answer, parts))
  return kept
}
