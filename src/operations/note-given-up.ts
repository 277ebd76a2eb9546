import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { JobName, Jobs } from '../pipeline.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'

const BY = system('queue')
const AGAIN_AFTER_SECONDS = 30

/**
 * Makes a job that failed for the last time visible where people look, on its request, and sends it once more: what it was owed for
 * is still owed, and the fault may be gone by then. Entering its next state lowers the request's flag.
 */
export async function noteGivenUp<N extends JobName>(
  deps: CaseDeps & { transact: Transact },
  job: N,
  data: Jobs[N],
): Promise<void> {
  await deps.transact(async tx => {
    const requestId = await requestOf(tx, data)
    if (!requestId) return
    const { flags } = await lockRequest(tx, requestId)
    if (!flags.includes('failed_job')) await deps.record(tx, requestStream(requestId), BY, 'job_given_up', { job })
    await setFlag(deps, tx, requestId, 'failed_job', true, BY)
    await deps.enqueue(tx, job, data, { afterSeconds: AGAIN_AFTER_SECONDS })
  })
}

/** The request a job was about, named by it, by the letter it was to send or by the file it was to have scanned. None when that is no longer here; then nothing is owed. */
async function requestOf(
  tx: Tx,
  { requestId, letterId, attachmentId }: { requestId?: string; letterId?: string; attachmentId?: string },
): Promise<string | undefined> {
  const [request] = await tx.query<{ id: string }[]>(
    `SELECT id FROM dsar_request WHERE id = coalesce($1, (SELECT request_id FROM letter WHERE letter.id = $2),
       (SELECT request_id FROM attachment WHERE attachment.id = $3))`,
    [requestId ?? null, letterId ?? null, attachmentId ?? null],
  )
  return request?.id
}
