import type { Day } from '../domain/day.ts'
import type { Forwarding, ForwardingAlarm, NewForwarding } from '../domain/forwarding.ts'
import { type Tx, write } from '../platform/database.ts'

const COLUMNS = `id, request_id AS "requestId", controller, contact, client, datasets, forwarded_at AS "forwardedAt",
  due_on::text AS "dueOn", acknowledged_at AS "acknowledgedAt", answered_at AS "answeredAt",
  (SELECT coalesce(jsonb_agg(jsonb_build_object('alarm', a.alarm, 'at', a.raised_at) ORDER BY a.raised_at, a.alarm DESC), '[]')
   FROM forwarding_alarm a WHERE a.forwarding_id = forwarding.id) AS alarms`

type Row = Omit<Forwarding, 'alarms'> & { alarms: { alarm: ForwardingAlarm; at: string }[] }
const read = ({ alarms, ...row }: Row): Forwarding => ({ ...row, alarms: alarms.map(one => ({ ...one, at: new Date(one.at) })) })

/** False when this part of the request was forwarded before: it is, once. */
export async function insertForwarding(tx: Tx, forwarding: NewForwarding): Promise<boolean> {
  const { id, requestId, controller, contact, client, datasets, forwardedAt, dueOn } = forwarding
  const rows = await tx.query<unknown[]>(
    `INSERT INTO forwarding (id, request_id, controller, contact, client, datasets, forwarded_at, due_on)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (request_id, controller) DO NOTHING RETURNING id`,
    [id, requestId, controller, contact, client, JSON.stringify(datasets), forwardedAt, dueOn],
  )
  return rows.length > 0
}

export async function forwardingsOf(tx: Tx, requestId: string): Promise<Forwarding[]> {
  const rows = await tx.query<Row[]>(`SELECT ${COLUMNS} FROM forwarding WHERE request_id = $1 ORDER BY controller`, [requestId])
  return rows.map(read)
}

export async function getForwarding(tx: Tx, id: string): Promise<Forwarding | undefined> {
  const [found] = await tx.query<Row[]>(`SELECT ${COLUMNS} FROM forwarding WHERE id = $1`, [id])
  return found && read(found)
}

/** Those about which an alarm may have to be raised that was not yet: no sign since a moment, or due before a day. */
export async function unansweredSince(tx: Tx, since: Date, today: Day): Promise<Pick<Forwarding, 'id' | 'requestId'>[]> {
  const isRaised = (alarm: ForwardingAlarm) =>
    `EXISTS (SELECT FROM forwarding_alarm a WHERE a.forwarding_id = f.id AND a.alarm = '${alarm}')`
  return tx.query(
    `SELECT f.id, f.request_id AS "requestId" FROM forwarding f
     WHERE f.answered_at IS NULL AND (f.acknowledged_at IS NULL AND f.forwarded_at <= $1 AND NOT ${isRaised('unacknowledged')}
       OR f.due_on < $2 AND NOT ${isRaised('late')})
     ORDER BY f.due_on, f.id LIMIT 1000`,
    [since, today],
  )
}

/** False when it was raised before. */
export async function insertAlarm(tx: Tx, id: string, alarm: ForwardingAlarm, at: Date): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `INSERT INTO forwarding_alarm (forwarding_id, alarm, raised_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1`,
    [id, alarm, at],
  )
  return rows.length > 0
}

/** The first time is the one that counts. */
export async function acknowledge(tx: Tx, id: string, at: Date): Promise<void> {
  await write(tx, 'UPDATE forwarding SET acknowledged_at = $2 WHERE id = $1 AND acknowledged_at IS NULL', [id, at])
}

/** Who has answered has received it. */
export async function answer(tx: Tx, id: string, at: Date): Promise<void> {
  await write(
    tx,
    'UPDATE forwarding SET answered_at = $2, acknowledged_at = coalesce(acknowledged_at, $2) WHERE id = $1 AND answered_at IS NULL',
    [id, at],
  )
}
