import { type OnRecorded, requestIdOf } from '../audit/record.ts'
import type { Tx } from '../platform/database.ts'
import { queueDeliveries } from './deliveries.store.ts'
import { toldAs, toldOf } from './webhook-events.ts'

/**
 * So long a process goes by what it saw last: that no webhook is there at all. Whoever makes one is answered after that, and is told
 * everything that is recorded from then on, by every process.
 */
export const UNNOTICED_MS = 500

/**
 * Queues what subscribers are to be told of an event, in the transaction in which it is recorded. It costs that transaction one
 * statement, on which it does not wait; and none as long as there is no webhook, but for a look in half a second.
 */
export function tellSubscribers(): OnRecorded {
  const anybodyListens = watchWebhooks()
  return async (tx, { stream, at, event, facts }) => {
    const types = toldAs(event)
    const requestId = requestIdOf(stream)
    if (types.length === 0 || !requestId || !(await anybodyListens(tx))) return
    await queueDeliveries(tx, { requestId, types, more: toldOf(facts), at })
  }
}

function watchWebhooks(): (tx: Tx) => Promise<boolean> {
  let [found, until] = [true, 0]
  return async tx => {
    const now = performance.now()
    if (now >= until)
      [found, until] = [(await tx.query<unknown[]>('SELECT 1 FROM webhook LIMIT 1')).length > 0, now + UNNOTICED_MS]
    return found
  }
}
