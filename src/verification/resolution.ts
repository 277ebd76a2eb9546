import { adaptersIn } from '../adapters/adapters.store.ts'
import type { Tx } from '../platform/database.ts'

/** Whether everybody who knows people has been asked who a request is about, and has answered. */
export async function resolutionOf(tx: Tx, requestId: string): Promise<{ unasked: boolean; unanswered: boolean }> {
  const resolvers = (await adaptersIn(tx)).filter(({ manifest }) => manifest.actions.includes('resolve'))
  const tasks = await tx.query<{ adapterId: string; open: boolean }[]>(
    `SELECT adapter_id AS "adapterId", state NOT IN ('done', 'cancelled') AS open FROM task WHERE request_id = $1 AND action = 'resolve'`,
    [requestId],
  )
  return {
    unasked: resolvers.some(({ id }) => !tasks.some(({ adapterId }) => adapterId === id)),
    unanswered: tasks.some(({ open }) => open),
  }
}
