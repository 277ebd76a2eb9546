import type { Transact } from '../platform/database.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { isHeld } from '../requests/held.ts'
import { isRestricted } from '../requests/marks.store.ts'
import type { Task } from './tasks.store.ts'

/** `shut`: not now, and perhaps never. `needless`: there is nothing to do any more. */
export type Gate = 'open' | 'shut' | 'needless'

/**
 * Looks once more, between the claim of a task and the call, at what may have changed since: a legal hold that was placed, a request that
 * has ended, another restriction by which the data stay restricted. Whoever decides on the request at this moment is waited for, and who
 * comes later finds the task running. What an adapter has accepted already is only asked after.
 */
export async function gateBefore({ transact }: { transact: Transact }, task: Task, now: Date): Promise<Gate> {
  return transact(async tx => {
    const { closedAt, parentId } = await lockRequest(tx, task.requestId)
    if (closedAt !== null && task.round === 0) return 'shut'
    if (task.action === 'lift_restriction' && !task.locationSealed && parentId && (await isRestricted(tx, parentId)))
      return 'needless'
    if (task.action !== 'erase' && task.action !== 'rectify') return 'open'
    const [found] = await tx.query<{ held: boolean }[]>(`SELECT ${isHeld('$2')} AS held FROM dsar_request r WHERE r.id = $1`, [
      task.requestId,
      now,
    ])
    return found?.held ? 'shut' : 'open'
  })
}
