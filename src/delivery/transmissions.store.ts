import { type Tx, write } from '../platform/database.ts'

export type Settled = 'delivered' | 'refused' | 'failed' | 'dropped'

/** A package on its way to another controller (Art. 20(2)), and what became of that. */
export interface Transmission {
  /** The Idempotency-Key of every attempt. */
  id: string
  requestId: string
  receiver: string
  /** Of the receiver, as people know it. */
  name: string
  state: 'queued' | Settled
  /** How often it was tried: a fencing token, as that of a task. */
  attempt: number
  /** A code. */
  problem: string | null
  /** No attempt begins after that, but the first. */
  giveUpAt: Date
}

const COLUMNS = `t.id, t.request_id AS "requestId", t.receiver, t.name, t.state, t.attempt, t.problem, t.give_up_at AS "giveUpAt"`

export async function insertTransmission(
  tx: Tx,
  {
    id,
    requestId,
    receiver,
    name,
    giveUpAt,
    at,
  }: Pick<Transmission, 'id' | 'requestId' | 'receiver' | 'name' | 'giveUpAt'> & { at: Date },
): Promise<void> {
  await write(
    tx,
    `INSERT INTO transmission (id, request_id, receiver, name, state, give_up_at, created_at) VALUES ($1, $2, $3, $4, 'queued', $5, $6)`,
    [id, requestId, receiver, name, giveUpAt, at],
  )
}

export async function transmissionOf(read: Tx, requestId: string): Promise<Transmission | undefined> {
  const [found] = await read.query<Transmission[]>(`SELECT ${COLUMNS} FROM transmission t WHERE t.request_id = $1`, [requestId])
  return found
}

/** Over `t`, at $2: nobody has taken the request back or revoked its package, and whoever asks has been proven. The last gate. */
const WANTED = `t.request_id = $1 AND t.state = 'queued'
  AND EXISTS (SELECT FROM dsar_request r WHERE r.id = t.request_id AND r.state = 'delivering' AND r.assurance >= r.assurance_needed
    AND EXISTS (SELECT FROM proof WHERE proof.request_id = r.id AND proof.level >= r.assurance_needed))
  AND EXISTS (SELECT FROM sealed_package p WHERE p.request_id = t.request_id AND p.revoked_at IS NULL AND p.destroyed_at IS NULL
    AND p.expires_at > $2::timestamptz)`

/** Begins an attempt, where there is to be one. */
export async function claimTransmission(tx: Tx, requestId: string, now: Date): Promise<Transmission | undefined> {
  const [[claimed]] = await tx.query<[Transmission[], number]>(
    `UPDATE transmission t SET attempt = attempt + 1
     WHERE ${WANTED} AND (attempt = 0 OR give_up_at > $2::timestamptz) RETURNING ${COLUMNS}`,
    [requestId, now],
  )
  return claimed
}

/** Whether an attempt is still the latest, and still wanted. */
export async function isWanted(read: Tx, { requestId, attempt }: Transmission, now: Date): Promise<boolean> {
  const found = await read.query<unknown[]>(`SELECT 1 FROM transmission t WHERE ${WANTED} AND t.attempt = $3`, [
    requestId,
    now,
    attempt,
  ])
  return found.length > 0
}

/**
 * Notes what became of it, once. That it arrived is a fact whichever attempt brought it there and whatever was dropped meanwhile; anything
 * else counts of the latest attempt alone. False when it was settled before, or is another attempt's to settle.
 */
export async function settleTransmission(
  tx: Tx,
  { requestId, attempt }: Pick<Transmission, 'requestId' | 'attempt'>,
  { state, problem, at }: { state: Settled; problem: string | null; at: Date },
): Promise<boolean> {
  const [, settled] = await tx.query<[unknown[], number]>(
    `UPDATE transmission SET state = $2, problem = $3, settled_at = $4
     WHERE request_id = $1 AND (state = 'queued' AND attempt = $5 OR $2 = 'delivered' AND state IN ('queued', 'dropped'))`,
    [requestId, state, problem, at, attempt],
  )
  return settled === 1
}
