import { type Tx, write } from '../platform/database.ts'
import { openedBy } from '../requests/visible-request.ts'
import type { WebhookEvent } from './webhook-events.ts'

export const DELIVERY_STATES = ['queued', 'delivered', 'failed'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** One event that one webhook is told. */
export interface Delivery {
  /** The `webhook-id` of every attempt. */
  id: string
  webhookId: string
  requestId: string
  type: WebhookEvent
  /** What is told: ids, states and days. */
  data: Record<string, unknown>
  occurredAt: Date
  state: DeliveryState
  /** How often it was tried: a fencing token, as that of a task. */
  attempts: number
  /** How often since it was queued, the last time. */
  tries: number
  dueAt: Date
  lastStatus: number | null
  /** A code; why the last attempt came to nothing, where no status says so. */
  problem: string | null
}

const COLUMNS = `d.id, d.webhook_id AS "webhookId", d.request_id AS "requestId", d.type, d.data, d.occurred_at AS "occurredAt", d.state,
  d.attempts, d.tries, d.due_at AS "dueAt", d.last_status AS "lastStatus", d.problem`

/** For every webhook of a service that sees the request, and that asks to be told of this. Nobody waits for it. */
export async function queueDeliveries(
  tx: Tx,
  { requestId, types, more, at }: { requestId: string; types: readonly WebhookEvent[]; more: Record<string, string>; at: Date },
): Promise<void> {
  await write(
    tx,
    `INSERT INTO webhook_delivery (id, webhook_id, request_id, type, data, occurred_at, state, due_at)
     SELECT gen_random_uuid(), w.id, r.id, told.type, $4::jsonb ||
       jsonb_build_object('requestId', r.id, 'state', r.state, 'dueOn', r.due_on, 'legalDueOn', r.legal_due_on), $3, 'queued', $3
     FROM dsar_request r JOIN webhook w ON ${openedBy('w.owner')} AND w.state = 'active'
       JOIN unnest($2::text[]) AS told (type) ON told.type = ANY(w.events)
     WHERE r.id = $1`,
    [requestId, types, at, JSON.stringify(more)],
  )
}

/** Past it, an attempt whose worker fell silent is made again; longer than any attempt takes. */
const LEASE_SECONDS = 20

/** Begins attempts for one webhook, the longest due first, of which so many may be under way in the fleet at once. Its row is locked. */
export async function claimDeliveries(
  tx: Tx,
  webhookId: string,
  { atOnce, free, now }: { atOnce: number; free: number; now: Date },
): Promise<Delivery[]> {
  const [claimed] = await tx.query<[Delivery[], number]>(
    `WITH next AS (
       SELECT id FROM webhook_delivery
       WHERE webhook_id = $1 AND state = 'queued' AND due_at <= $4 AND (lease_until IS NULL OR lease_until < now())
       ORDER BY due_at LIMIT greatest(0, least($3, $2 - (SELECT count(*) FROM webhook_delivery
         WHERE webhook_id = $1 AND state = 'queued' AND lease_until >= now())))
       FOR UPDATE SKIP LOCKED)
     UPDATE webhook_delivery d SET attempts = attempts + 1, tries = tries + 1, lease_until = now() + interval '${LEASE_SECONDS} seconds'
     FROM next WHERE d.id = next.id RETURNING ${COLUMNS}`,
    [webhookId, atOnce, free, now],
  )
  return claimed
}

/** Puts an attempt back as if it had not been made, because this worker is stopping. */
export async function giveBack(tx: Tx, { id, attempts }: Pick<Delivery, 'id' | 'attempts'>): Promise<void> {
  await tx.query(
    `UPDATE webhook_delivery SET tries = tries - 1, lease_until = NULL WHERE id = $1 AND attempts = $2 AND state = 'queued'`,
    [id, attempts],
  )
}

/** How an attempt ended: that it is over, or when the next one is due. */
export interface Noted {
  state: DeliveryState
  status: number | null
  problem: string | null
  dueAt: Date
  at: Date
}

/** Notes how an attempt ended. That it arrived is a fact whichever attempt brought it there; anything else counts of the latest alone. */
export async function noteAttempt(tx: Tx, { id, attempts }: Pick<Delivery, 'id' | 'attempts'>, noted: Noted): Promise<boolean> {
  const { state, status, problem, dueAt, at } = noted
  const [, changed] = await tx.query<[unknown[], number]>(
    `UPDATE webhook_delivery SET state = $3, last_status = $4, problem = $5, due_at = $6, lease_until = NULL, settled_at = $7
     WHERE id = $1 AND (attempts = $2 AND state = 'queued' OR $3 = 'delivered' AND state <> 'delivered')`,
    [id, attempts, state, status, problem, dueAt, state === 'queued' ? null : at],
  )
  return changed === 1
}

/** What a webhook that is told nothing more was still to be told. It can be replayed. */
export async function failQueued(tx: Tx, webhookId: string, problem: string, at: Date): Promise<void> {
  await tx.query(
    `UPDATE webhook_delivery SET state = 'failed', problem = $2, lease_until = NULL, settled_at = $3
     WHERE webhook_id = $1 AND state = 'queued'`,
    [webhookId, problem, at],
  )
}

/** Queues again, under their ids, what was delivered or given up: one delivery, or all since a moment. @returns how many */
export async function replay(
  tx: Tx,
  webhookId: string,
  { delivery, since }: { delivery?: string; since?: Date },
  now: Date,
): Promise<number> {
  const [, replayed] = await tx.query<[unknown[], number]>(
    `UPDATE webhook_delivery SET state = 'queued', tries = 0, due_at = $4, settled_at = NULL
     WHERE webhook_id = $1 AND ($2::uuid IS NULL OR id = $2) AND ($3::timestamptz IS NULL OR occurred_at >= $3)
       AND (state <> 'queued' OR lease_until IS NULL)`,
    [webhookId, delivery ?? null, since ?? null, now],
  )
  return replayed
}

/** Where the last page ended. */
export interface DeliveryPlace {
  occurredAt: string
  id: string
}

/** Of a webhook, the latest first. */
export async function deliveriesOf(
  read: Tx,
  webhookId: string,
  { state, after, limit }: { state?: DeliveryState; after?: DeliveryPlace; limit: number },
): Promise<Delivery[]> {
  return read.query(
    `SELECT ${COLUMNS} FROM webhook_delivery d
     WHERE d.webhook_id = $1 AND ($2::text IS NULL OR d.state = $2)
       AND ($3::timestamptz IS NULL OR (d.occurred_at, d.id) < ($3, $4::uuid))
     ORDER BY d.occurred_at DESC, d.id DESC LIMIT $5`,
    [webhookId, state ?? null, after?.occurredAt ?? null, after?.id ?? null, limit],
  )
}

export async function deliveryOf(read: Tx, webhookId: string, id: string): Promise<Delivery | undefined> {
  const [found] = await read.query<Delivery[]>(
    `SELECT ${COLUMNS} FROM webhook_delivery d WHERE d.webhook_id = $1 AND d.id = $2`,
    [webhookId, id],
  )
  return found
}

const KEPT_DAYS = 30

/** Forgets what was settled long ago, which cannot be replayed any more, and what was queued for a webhook as it was removed. */
export async function forgetDeliveries(read: Tx, now: Date): Promise<void> {
  await read.query(
    `DELETE FROM webhook_delivery d WHERE settled_at < $1
       OR state = 'queued' AND due_at < $1 AND NOT EXISTS (SELECT FROM webhook w WHERE w.id = d.webhook_id)`,
    [new Date(now.getTime() - KEPT_DAYS * 86_400_000)],
  )
}
