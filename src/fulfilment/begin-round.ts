import { randomUUIDv7 } from 'node:crypto'
import { holdAdapters } from '../adapters/adapters.store.ts'
import { ACTIONS } from '../pipeline.ts'
import type { Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { configOf } from '../tasks/scope.ts'
import { insertTasks, type NewTask, type Task } from '../tasks/tasks.store.ts'
import { erasureOrder, inErasureOrder } from './erasure-order.ts'
import { notSupported } from './plan-tasks.ts'

/** What is asked of whom in a later round: of each task of the first one, the datasets that are looked at or erased again. */
export interface Again {
  of: Task
  datasets: Task['config']['datasets']
}

const DAY_MS = 86_400_000

const LOOK: readonly Task['action'][] = ['confirm_erased']
export const ERASE_AND_LOOK: readonly Task['action'][] = ['erase', 'confirm_erased']

/**
 * Has adapters asked again, each as it is registered by now, every action waiting for the one before it and every erasure for
 * those that come first. Where nobody can be asked, the round is over as soon as it has begun.
 * @returns whom it is about, by name
 */
export async function askAgain(
  deps: CaseDeps,
  tx: Tx,
  { requestId, round }: { requestId: string; round: number },
  again: readonly Again[],
  actions = LOOK,
): Promise<string[]> {
  const adapters = await holdAdapters(tx)
  const known = new Map(adapters.map(adapter => [adapter.id, adapter]))
  const tasks = again.flatMap(({ of: { adapterId, adapter: name, config }, datasets }): NewTask[] => {
    const adapter = known.get(adapterId)
    const ids = actions.map(() => randomUUIDv7())
    return actions.map((action, i) => ({
      id: ids[i] as string,
      adapterId,
      adapter: name,
      action,
      config: adapter ? configOf(adapter, datasets) : { ...config, datasets },
      after: ids.slice(Math.max(0, i - 1), i),
      ...(!adapter && { problem: { code: 'adapter_removed', detail: 'The adapter is registered no more: look by hand.' } }),
      ...(adapter && !adapter.manifest.actions.includes(ACTIONS[action]) && { problem: notSupported(action) }),
    }))
  })
  const now = deps.clock.now()
  const dueAt = new Date(now.getTime() + 7 * DAY_MS)
  await insertTasks(tx, { requestId, round, dueAt, now }, inErasureOrder(tasks, erasureOrder(adapters)))
  const canBeAsked = tasks.some(({ problem }) => !problem)
  await deps.enqueue(tx, canBeAsked ? 'dispatch-tasks' : 'conclude-round', canBeAsked ? {} : { requestId })
  return again.map(({ of }) => of.adapter)
}
