import type { Forwarding } from '../domain/forwarding.ts'
import { type Tx, write } from '../platform/database.ts'

const COLUMNS = `id, request_id AS "requestId", controller, contact, client, datasets, forwarded_at AS "forwardedAt",
  due_on::text AS "dueOn", acknowledged_at AS "acknowledgedAt"`

/** False when this part of the request was forwarded before: it is, once. */
export async function insertForwarding(tx: Tx, forwarding: Omit<Forwarding, 'acknowledgedAt'>): Promise<boolean> {
  const { id, requestId, controller, contact, client, datasets, forwardedAt, dueOn } = forwarding
  const rows = await tx.query<unknown[]>(
    `INSERT INTO forwarding (id, request_id, controller, contact, client, datasets, forwarded_at, due_on)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (request_id, controller) DO NOTHING RETURNING id`,
    [id, requestId, controller, contact, client, JSON.stringify(datasets), forwardedAt, dueOn],
  )
  return rows.length > 0
}

export async function forwardingsOf(read: Tx, requestId: string): Promise<Forwarding[]> {
  return read.query(`SELECT ${COLUMNS} FROM forwarding WHERE request_id = $1 ORDER BY controller`, [requestId])
}

export async function getForwarding(read: Tx, id: string): Promise<Forwarding | undefined> {
  const [found] = await read.query<Forwarding[]>(`SELECT ${COLUMNS} FROM forwarding WHERE id = $1`, [id])
  return found
}

/** The first time is the one that counts. */
export async function acknowledge(tx: Tx, id: string, at: Date): Promise<void> {
  await write(tx, 'UPDATE forwarding SET acknowledged_at = $2 WHERE id = $1 AND acknowledged_at IS NULL', [id, at])
}
