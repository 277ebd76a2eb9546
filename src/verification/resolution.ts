import { adaptersIn } from '../adapters/adapters.store.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Jobs } from '../pipeline.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Enqueue } from '../platform/queue.ts'

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

const HOUR_MS = 3_600_000

/**
 * Whether those who know people stand by who a request is about: said so within the last hour. Otherwise they are asked again, and the
 * answer has the request weighed anew; until then it is false. What runs through at once asks nobody twice.
 */
export async function isResolvedLately(
  deps: { clock: Clock; enqueue: Enqueue<Jobs> },
  tx: Tx,
  { id, relationship, assuranceNeeded }: DsarRequest,
): Promise<boolean> {
  if (relationship === 'reporter' || assuranceNeeded === 0) return true
  const [, asked] = await tx.query<[unknown[], number]>(
    `UPDATE task t SET state = 'ready', key = gen_random_uuid(), run_at = now(), failures = 0, lost = 0, location_sealed = NULL, problem = NULL,
       answer = NULL, finished_at = NULL, lease_until = NULL
     FROM adapter a WHERE a.id = t.adapter_id AND a.state = 'live' AND t.request_id = $1 AND t.action = 'resolve' AND t.state = 'done'
       AND t.asked AND t.finished_at <= $2`,
    [id, new Date(deps.clock.now().getTime() - HOUR_MS)],
  )
  if (asked > 0) await deps.enqueue(tx, 'dispatch-tasks', {})
  return asked === 0 && !(await resolutionOf(tx, id)).unanswered
}
