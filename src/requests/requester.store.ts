import type { Tx } from '../platform/database.ts'
import { type IdentityDeps, identityIndex, identityIndexes } from './identities.store.ts'

/** Who acts for the data subject. Kept apart from the subject's addresses, so that one is never taken for the other. */
export interface Requester {
  name: string
  email: string
  /** Since when the address is known to be theirs. */
  provenAt: Date | null
  /** Since when the data subject wants the answer to go to them. */
  deliveryAgreedAt: Date | null
}

const context = (column: string, requestId: string) => `requester|${column}|${requestId}`

/** `userId` is that of whoever is logged in at the portal. */
export async function addRequester(
  deps: IdentityDeps,
  tx: Tx,
  requestId: string,
  { name, email, userId }: { name: string; email: string; userId?: string },
): Promise<void> {
  await tx.query('INSERT INTO requester (request_id, name_sealed, email_sealed, user_index) VALUES ($1, $2, $3, $4)', [
    requestId,
    deps.vault.seal(name, context('name_sealed', requestId)),
    deps.vault.seal(email, context('email_sealed', requestId)),
    userId === undefined ? null : identityIndex(deps, { type: 'user_id', value: userId }),
  ])
}

export async function requesterOf({ vault }: IdentityDeps, tx: Tx, requestId: string): Promise<Requester | undefined> {
  const [row] = await tx.query<(Omit<Requester, 'name' | 'email'> & { name: Buffer; email: Buffer })[]>(
    `SELECT name_sealed AS name, email_sealed AS email, proven_at AS "provenAt", delivery_agreed_at AS "deliveryAgreedAt"
     FROM requester WHERE request_id = $1`,
    [requestId],
  )
  return (
    row && {
      ...row,
      name: vault.open(row.name, context('name_sealed', requestId)).toString('utf8'),
      email: vault.open(row.email, context('email_sealed', requestId)).toString('utf8'),
    }
  )
}

export async function saveProven(tx: Tx, requestId: string, at: Date): Promise<void> {
  await tx.query('UPDATE requester SET proven_at = $2 WHERE request_id = $1', [requestId, at])
}

export async function saveDeliveryAgreed(tx: Tx, requestId: string, at: Date): Promise<void> {
  await tx.query('UPDATE requester SET delivery_agreed_at = $2 WHERE request_id = $1', [requestId, at])
}

/** Whether somebody with this user id has asked for the person, under whatever role they come now. */
export async function hasAsked(deps: IdentityDeps, tx: Tx, requestId: string, userId: string): Promise<boolean> {
  const indexes = identityIndexes(deps, { type: 'user_id', value: userId })
  const found = await tx.query('SELECT 1 FROM requester WHERE request_id = $1 AND user_index = ANY($2)', [requestId, indexes])
  return (found as unknown[]).length > 0
}
