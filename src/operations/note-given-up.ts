import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { Transact } from '../platform/database.ts'
import { type CaseDeps, getRequest, setFlag } from '../requests/apply-event.ts'

/** Makes a job that failed for the last time visible where people look: on its request. It stays in the dead-letter queue. */
export async function noteGivenUp(deps: CaseDeps & { transact: Transact }, job: string, data: object): Promise<void> {
  const requestId = (data as { requestId?: string }).requestId
  if (!requestId) return
  await deps.transact(async tx => {
    if (!(await getRequest(tx, requestId))) return
    const by = system('queue')
    await deps.record(tx, requestStream(requestId), by, 'job_given_up', { job })
    await setFlag(deps, tx, requestId, 'failed_job', true, by)
  })
}
