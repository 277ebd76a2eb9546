import { randomUUIDv7 } from 'node:crypto'
import { type Tx, write } from '../platform/database.ts'

/** What a code shows or opens: who the person is, that an address is that of whoever acts for them, the package. */
export type Purpose = 'identity' | 'requester' | 'download'

export interface Challenge {
  id: string
  codeMac: Buffer
  tries: number
  expiresAt: Date
}

/** A new code takes the place of any before it. */
export async function replace(
  tx: Tx,
  { requestId, purpose, contactIndex, codeMac, now, expiresAt }: NewChallenge,
): Promise<string> {
  const id = randomUUIDv7()
  await tx.query('UPDATE challenge SET revoked_at = $3 WHERE request_id = $1 AND purpose = $2 AND revoked_at IS NULL', [
    requestId,
    purpose,
    now,
  ])
  await tx.query(
    `INSERT INTO challenge (id, request_id, purpose, contact_index, code_mac, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, requestId, purpose, contactIndex, codeMac, now, expiresAt],
  )
  return id
}

export interface NewChallenge {
  requestId: string
  purpose: Purpose
  contactIndex: Buffer
  codeMac: Buffer
  now: Date
  expiresAt: Date
}

/** Codes for a purpose sent to one address since a moment, over all requests: what keeps a mailbox from being bombed. */
export async function countSince(tx: Tx, contactIndex: Buffer, purpose: Purpose, since: Date): Promise<number> {
  const [row] = await tx.query<{ count: number }[]>(
    'SELECT count(*) FROM challenge WHERE contact_index = $1 AND purpose = $2 AND created_at > $3',
    [contactIndex, purpose, since],
  )
  return row?.count ?? 0
}

/** Counts a try at the code in force, before anybody compares it, so that parallel guesses cannot share one. */
export async function countTry(tx: Tx, requestId: string, purpose: Purpose): Promise<Challenge | undefined> {
  const [rows] = await tx.query<[Challenge[], number]>(
    `UPDATE challenge SET tries = tries + 1 WHERE request_id = $1 AND purpose = $2 AND revoked_at IS NULL AND used_at IS NULL
     RETURNING id, code_mac AS "codeMac", tries, expires_at AS "expiresAt"`,
    [requestId, purpose],
  )
  return rows[0]
}

/** Makes every code of a request worthless, used ones as well. */
export async function revokeCodes(tx: Tx, requestId: string, now: Date): Promise<void> {
  await write(tx, 'UPDATE challenge SET revoked_at = $2 WHERE request_id = $1 AND revoked_at IS NULL', [requestId, now])
}

/** Uses a code up. False when somebody else did so first, or it was replaced meanwhile. */
export async function use(tx: Tx, id: string, now: Date): Promise<boolean> {
  const [, used] = await tx.query<[unknown[], number]>(
    'UPDATE challenge SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL',
    [id, now],
  )
  return used === 1
}
