import type { Action } from '../pipeline.ts'
import type { Tx } from '../platform/database.ts'

/** An answer that an adapter promised to a request which ended before it came. */
export interface Promised {
  id: string
  /** The id by which the adapter knows the task. */
  key: string
  adapterId: string
  adapter: string
  action: Action
  baseUrl: string
  locationSealed: Buffer
  /** When nobody waited for it any more. */
  endedAt: Date
  /** Whether the adapter says that it can stop a change; reading it can always give up. */
  cancellable: boolean
}

/** Those of a request that their adapters have not been told of, at adapters that may be called. */
export async function promisedOf(tx: Tx, requestId: string): Promise<Promised[]> {
  return tx.query(
    `SELECT t.id, t.key, t.adapter_id AS "adapterId", t.adapter, t.action, t.config ->> 'baseUrl' AS "baseUrl", t.location_sealed AS "locationSealed",
       t.finished_at AS "endedAt",
       (a.manifest ->> 'cancellable')::boolean AS cancellable
     FROM task t JOIN adapter a ON a.id = t.adapter_id
     WHERE t.request_id = $1 AND t.state = 'cancelled' AND t.location_sealed IS NOT NULL AND a.state = 'live'`,
    [requestId],
  )
}

/** Notes that there is nothing more to say of a promise. False where that was noted already. */
export async function dropPromise(tx: Tx, id: string): Promise<boolean> {
  const [, dropped] = await tx.query<[unknown[], number]>(
    `UPDATE task SET location_sealed = NULL WHERE id = $1 AND state = 'cancelled' AND location_sealed IS NOT NULL`,
    [id],
  )
  return dropped === 1
}
