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

/** By adapter, because each answer takes note of how its adapter does: two transactions that did so crosswise would wait for each other. */
async function receiveInTurn(deps: ReceiveDeps, tx: Tx, arrived: readonly Arrived[]): Promise<boolean[]> {
  const kept = new Map<Arrived, boolean>()
  for (const one of arrived.toSorted((a, b) => compare(a.task.adapterId, b.task.adapterId)))
    kept.set(one, await receiveAnswer(deps, tx, one.task, one.answer, one.parts))
  return arrived.map(one => kept.get(one) === true)
}

const compare = (a: string, b: string): number => Number(a > b) - Number(a < b)
