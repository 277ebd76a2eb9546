import { adaptersIn } from '../adapters/adapters.store.ts'
import { endOfDay } from '../domain/day.ts'
import type { Transact } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { configOf } from './scope.ts'
import { insertTask } from './tasks.store.ts'

export interface AskWhoDeps extends CaseDeps {
  transact: Transact
}

/** Has everybody who knows people asked who this is. They are told identities only, and asked for no content. */
export async function askWho(deps: AskWhoDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    if (request.state !== 'verifying') return
    const adapters = (await adaptersIn(tx)).filter(({ manifest }) => manifest.actions.includes('resolve'))
    const dueAt = endOfDay(request.dueOn, request.timeZone)
    for (const adapter of adapters) {
      const config = configOf(adapter, [])
      await insertTask(
        tx,
        { requestId, adapterId: adapter.id, adapter: adapter.name, action: 'resolve', config, dueAt },
        deps.clock.now(),
      )
    }
    if (adapters.length > 0) await deps.enqueue(tx, 'dispatch-tasks', {})
    else await deps.enqueue(tx, 'weigh-identity', { requestId })
  })
}
