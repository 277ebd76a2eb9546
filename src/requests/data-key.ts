import type { Tx } from '../platform/database.ts'
import type { DataKey, Vault } from '../platform/vault.ts'

const context = (requestId: string) => `request_key|wrapped|${requestId}`

/** A wrapped key for everything that is collected and packed for a request. Destroying it makes all of that unreadable. */
export const newDataKeyFor = ({ vault }: { vault: Pick<Vault, 'newDataKey'> }, requestId: string): Buffer =>
  vault.newDataKey(context(requestId)).wrapped

/** @throws Error when it was destroyed: nothing can be read or added any more. */
export async function dataKeyOf(
  { vault }: { vault: Pick<Vault, 'unwrapDataKey'> },
  read: Tx,
  requestId: string,
): Promise<DataKey> {
  const [row] = await read.query<{ wrapped: Buffer }[]>('SELECT wrapped FROM request_key WHERE request_id = $1', [requestId])
  if (!row) throw new Error(`The key of request ${requestId} was destroyed.`)
  return vault.unwrapDataKey(row.wrapped, context(requestId))
}

/** False when it was destroyed before. */
export async function destroyDataKey(tx: Tx, requestId: string): Promise<boolean> {
  const [, destroyed] = await tx.query<[unknown[], number]>('DELETE FROM request_key WHERE request_id = $1', [requestId])
  return destroyed === 1
}
