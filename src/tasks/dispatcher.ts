import type { Clock } from '../platform/clock.ts'
import type { Transact } from '../platform/database.ts'
import { claim } from './claims.store.ts'
import type { Task } from './tasks.store.ts'

export interface Dispatcher {
  /** There may be something to do. Returns at once. */
  wake(): void
  /** Starts nothing more and waits until what runs has ended or been given up. */
  stop(): Promise<void>
}

export interface DispatchDeps {
  transact: Transact
  clock: Clock
  /** Runs one claimed task to its end. Never throws. */
  run(task: Task, signal: AbortSignal): Promise<void>
  onError(error: unknown): void
}

const LOOK_EVERY_MS = 1000

/**
 * Keeps up to `slots` tasks of the fleet running in this process. It looks whenever it is woken, when a task ends and once a
 * second, so that a lost wake-up or a silent worker costs seconds and nothing else.
 */
export function startDispatcher({ transact, clock, run, onError }: DispatchDeps, { slots }: { slots: number }): Dispatcher {
  const running = new Map<Promise<void>, Task['adapterId']>()
  const stopping = new AbortController()
  let looking: Promise<void> | undefined
  let again = false

  const look = async () => {
    do {
      again = false
      if (running.size >= slots || stopping.signal.aborted) return
      const tasks = await transact(tx => claim(tx, { slots, held: countsOf(running.values()) }, clock.now()))
      for (const task of tasks) {
        const work = run(task, stopping.signal).finally(() => {
          running.delete(work)
          wake()
        })
        running.set(work, task.adapterId)
      }
    } while (again)
  }
  const wake = () => {
    again = true
    if (looking || stopping.signal.aborted) return
    looking = look()
      .catch(onError)
      .finally(() => {
        looking = undefined
        if (again && running.size < slots) wake()
      })
  }
  const timer = setInterval(wake, LOOK_EVERY_MS)

  return {
    wake,
    async stop() {
      clearInterval(timer)
      stopping.abort(new Error('the worker is stopping'))
      await looking
      await Promise.all(running.keys())
    },
  }
}

function countsOf(values: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
