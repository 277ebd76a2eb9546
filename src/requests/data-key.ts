import type { Tx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import type { DataKey, Vault } from '../platform/vault.ts'

const context = (requestId: string) => `request_key|wrapped|${requestId}`

/** A wrapped key for everything that is collected and packed for a request. Destroying it makes all of that unreadable. */
export const newDataKeyFor = ({ vault }: { vault: Pick<Vault, 'newDataKey'> }, requestId: string): Buffer =>
  vault.newDataKey(context(requestId)).wrapped

/** The key of a request. @throws Error when it was destroyed: nothing can be read or added any more. */
export type DataKeyOf = (requestId: string) => Promise<DataKey>

/** Keys that are asked for at the same time are read by one query: tasks of a request begin together. */
export function createDataKeyOf({ vault }: { vault: Pick<Vault, 'unwrapDataKey'> }, read: Tx): DataKeyOf {
  const wrappedOf = together(
    async (ids: string[]) => {
      const rows = await read.query<{ id: string; wrapped: Buffer }[]>(
        'SELECT request_id AS id, wrapped FROM request_key WHERE request_id = ANY ($1)',
        [[...new Set(ids)]],
      )
      return ids.map(id => rows.find(row => row.id === id)?.wrapped)
    },
    { atOnce: 2, most: 100 },
  )
  return async requestId => {
    const wrapped = await wrappedOf(requestId)
    if (!wrapped) throw new Error(`The key of request ${requestId} was destroyed.`)
    return vault.unwrapDataKey(wrapped, context(requestId))
  }
}

/** False when it was destroyed before. */
export async function destroyDataKey(tx: Tx, requestId: string): Promise<boolean> {
  const [, destroyed] = await tx.query<[unknown[], number]>('DELETE FROM request_key WHERE request_id = $1', [requestId])
  return destroyed === 1
}
