import type { Tx } from '../platform/database.ts'
import type { Work } from '../platform/dispatcher.ts'
import { type Attempt, type DeliverDeps, deliver } from './deliver.ts'
import { claimDeliveries } from './deliveries.store.ts'
import { lockDue, noteClaimed, type SecretDeps } from './webhooks.store.ts'

type WebhookWorkDeps = DeliverDeps & SecretDeps

/** Attempts at once in each worker, and of one webhook in the whole fleet: one that is slow holds up nobody but itself. */
const SLOTS = 32
const AT_ONCE = 4

/** The deliveries of the fleet as what this process works at, beside everything else it does. */
export const webhookWork = (deps: WebhookWorkDeps): Work<Attempt> => ({
  slots: SLOTS,
  claim: held => {
    const busy = [...held.values()].reduce((sum, count) => sum + count, 0)
    return deps.transact(tx => claimAttempts(deps, tx, SLOTS - busy))
  },
  keyOf: ({ delivery }) => delivery.webhookId,
  run: (attempt, signal) => deliver(deps, attempt, signal),
  onError: deps.onError,
})

async function claimAttempts(deps: WebhookWorkDeps, tx: Tx, slots: number): Promise<Attempt[]> {
  const attempts: Attempt[] = []
  const now = deps.clock.now()
  for (const to of await lockDue(deps, tx, now)) {
    const free = slots - attempts.length
    if (free <= 0) break
    const claimed = await claimDeliveries(tx, to.id, { atOnce: AT_ONCE, free, now })
    if (claimed.length > 0) await noteClaimed(tx, to)
    attempts.push(...claimed.map(delivery => ({ delivery, to })))
  }
  return attempts
}
