import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type CaseDeps, getRequest, setFlag } from '../requests/apply-event.ts'

/** Makes a job that failed for the last time visible where people look: on its request. It stays in the dead-letter queue. */
export async function noteGivenUp(deps: CaseDeps & { transact: Transact }, job: string, data: object): Promise<void> {
  await deps.transact(async tx => {
    const requestId = await requestOf(tx, data)
    if (!requestId || !(await getRequest(tx, requestId))) return
    const by = system('queue')
    await deps.record(tx, requestStream(requestId), by, 'job_given_up', { job })
    await setFlag(deps, tx, requestId, 'failed_job', true, by)
  })
}

/** The request a job was about: named by it, or by the letter it was to send. */
async function requestOf(tx: Tx, { requestId, letterId }: { requestId?: string; letterId?: string }): Promise<string | null> {
  if (requestId || !letterId) return requestId ?? null
  const [letter] = await tx.query<{ requestId: string | null }[]>('SELECT request_id AS "requestId" FROM letter WHERE id = $1', [
    letterId,
  ])
  return letter?.requestId ?? null
}
