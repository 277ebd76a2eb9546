import type { Clock } from '../platform/clock.ts'
import type { Transact } from '../platform/database.ts'
import type { Work } from '../platform/dispatcher.ts'
import { claim } from './claims.store.ts'
import { receivingTogether } from './receive-together.ts'
import { type RunDeps, runTask } from './run-task.ts'
import type { Task } from './tasks.store.ts'

export interface TaskWorkDeps extends Omit<RunDeps, 'receive'> {
  transact: Transact
  clock: Clock
  /** Adapter calls at once, per worker. */
  taskSlots: number
}

/** The tasks of the fleet as what this process works at. */
export function taskWork(deps: TaskWorkDeps): Work<Task> {
  const running: RunDeps = { ...deps, receive: receivingTogether(deps) }
  return {
    slots: deps.taskSlots,
    claim: held => deps.transact(tx => claim(tx, { slots: deps.taskSlots, held }, deps.clock.now())),
    keyOf: ({ adapterId }) => adapterId,
    run: (task, signal) => runTask(running, task, signal),
    onError: deps.onError,
  }
}
