import { randomUUIDv7 } from 'node:crypto'
import type { Secrets } from '../adapters/signing.ts'
import type { Caller } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import { type Tx, write } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { WebhookEvent } from './webhook-events.ts'

export const WEBHOOK_STATES = ['active', 'disabled'] as const

/** Where a service is told what happens to its requests. Its secrets are kept apart and never shown. */
export interface Webhook {
  id: string
  /** Id of the service. */
  owner: string
  url: string
  events: WebhookEvent[]
  state: (typeof WEBHOOK_STATES)[number]
  /** `gone`: the subscriber said so (410). */
  disabledBecause: 'switched_off' | 'gone' | null
  /** Since when nothing arrives there any more: a delivery was given up. */
  failingSince: Date | null
  /** Until then the secret before the current one signs as well. */
  bothUntil: Date | null
  version: number
  createdAt: Date
  changedAt: Date
}

export interface SecretDeps {
  vault: Pick<Vault, 'sealJson' | 'openJson'>
}

const COLUMNS = `w.id, w.owner, w.url, w.events, w.state, w.disabled_because AS "disabledBecause", w.failing_since AS "failingSince",
  w.both_until AS "bothUntil", w.version, w.created_at AS "createdAt", w.changed_at AS "changedAt"`
const context = (id: string) => `webhook|secrets_sealed|${id}`
const sealed = ({ vault }: SecretDeps, id: string, secrets: Secrets) => vault.sealJson(secrets, context(id))

/** A service has its own; staff look at those of all. */
const ownedBy = (caller: Caller): string | null => (caller.kind === 'service' ? caller.id : null)

export async function webhooksOf(read: Tx, caller: Caller): Promise<Webhook[]> {
  return read.query(`SELECT ${COLUMNS} FROM webhook w WHERE $1::text IS NULL OR w.owner = $1 ORDER BY w.id`, [ownedBy(caller)])
}

/** @throws Problem `not_found`, the same for what is not there and for what is another service's */
export async function getWebhook(tx: Tx, id: string, caller: Caller, { lock = false } = {}): Promise<Webhook> {
  const [found] = await tx.query<Webhook[]>(
    `SELECT ${COLUMNS} FROM webhook w WHERE w.id = $1 AND ($2::text IS NULL OR w.owner = $2) ${lock ? 'FOR NO KEY UPDATE' : ''}`,
    [id, ownedBy(caller)],
  )
  if (!found) throw new Problem('not_found')
  return found
}

/** So many webhooks are a service's at most: each of them costs something at every event. */
const AT_MOST = 20

/** @throws Problem `unprocessable` where the service has too many */
export async function insertWebhook(
  deps: SecretDeps,
  tx: Tx,
  { owner, url, events, secret }: Pick<Webhook, 'owner' | 'url' | 'events'> & { secret: string },
  now: Date,
): Promise<Webhook> {
  const id = randomUUIDv7()
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 9))', [owner])
  const [inserted] = await tx.query<Webhook[]>(
    `INSERT INTO webhook AS w (id, owner, url, events, secrets_sealed, state, created_at, changed_at)
     SELECT $1, $2, $3, $4, $5, 'active', $6, $6 WHERE (SELECT count(*) FROM webhook WHERE owner = $2) < $7 RETURNING ${COLUMNS}`,
    [id, owner, url, events, sealed(deps, id, [secret]), now, AT_MOST],
  )
  if (!inserted) throw new Problem('unprocessable', `A service has ${AT_MOST} webhooks at most.`)
  return inserted
}

export type WebhookChange = Partial<Pick<Webhook, 'url' | 'events' | 'state' | 'disabledBecause' | 'failingSince'>>

/** Changes a locked webhook; what is not named stays. */
export async function updateWebhook(tx: Tx, webhook: Webhook, change: WebhookChange, now: Date): Promise<Webhook> {
  const { url, events, state, disabledBecause, failingSince } = { ...webhook, ...change }
  const [[updated]] = await tx.query<[[Webhook], number]>(
    `UPDATE webhook w SET url = $2, events = $3, state = $4, disabled_because = $5, failing_since = $6, changed_at = $7,
       version = version + 1 WHERE id = $1 RETURNING ${COLUMNS}`,
    [webhook.id, url, events, state, disabledBecause, failingSince, now],
  )
  return updated
}

/** Puts a secret before the current one of a locked webhook, which signs as well until then. An older one goes. */
export async function replaceSecret(
  deps: SecretDeps,
  tx: Tx,
  { id }: Webhook,
  { secret, bothUntil, now }: { secret: string; bothUntil: Date; now: Date },
): Promise<Webhook> {
  const [row] = await tx.query<[{ sealed: Buffer }]>('SELECT secrets_sealed AS sealed FROM webhook WHERE id = $1', [id])
  const [current = secret] = deps.vault.openJson(row.sealed, context(id)) as Secrets
  const [[updated]] = await tx.query<[[Webhook], number]>(
    `UPDATE webhook w SET secrets_sealed = $2, both_until = $3, changed_at = $4, version = version + 1 WHERE id = $1 RETURNING ${COLUMNS}`,
    [id, sealed(deps, id, [secret, current]), bothUntil, now],
  )
  return updated
}

/** Takes a webhook away with all that it was told and is still to be told. */
export async function deleteWebhook(tx: Tx, { id }: Webhook): Promise<void> {
  await tx.query('DELETE FROM webhook WHERE id = $1', [id])
  await tx.query('DELETE FROM webhook_delivery WHERE webhook_id = $1', [id])
}

/** The webhook that a delivery is about, held: none when it was removed. */
export async function lockWebhook(tx: Tx, id: string): Promise<Webhook | undefined> {
  const [found] = await tx.query<Webhook[]>(`SELECT ${COLUMNS} FROM webhook w WHERE w.id = $1 FOR NO KEY UPDATE`, [id])
  return found
}

/** Webhooks that their services believe in and where nothing arrives: whose subscriber said that it is gone, or does not take anything. */
export async function countUnheard(read: Tx): Promise<number> {
  const [row] = await read.query<[{ count: number }]>(
    `SELECT count(*) FROM webhook WHERE disabled_because = 'gone' OR state = 'active' AND failing_since IS NOT NULL`,
  )
  return row.count
}

/** Where a webhook leads and what signs now, the current secret first. */
export interface Contact {
  id: string
  url: string
  secrets: Secrets
}

/** Webhooks with something due, held by us alone for this transaction, the one longest without a call first. */
export async function lockDue(deps: SecretDeps, tx: Tx, now: Date): Promise<Contact[]> {
  const due = await tx.query<{ id: string; url: string; secrets: Buffer; both: boolean }[]>(
    `SELECT w.id, w.url, w.secrets_sealed AS secrets, coalesce(w.both_until > $1, false) AS both FROM webhook w
     WHERE w.state = 'active' AND EXISTS (SELECT FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'queued'
       AND d.due_at <= $1 AND (d.lease_until IS NULL OR d.lease_until < now()))
     ORDER BY w.claimed_at, w.id FOR NO KEY UPDATE OF w SKIP LOCKED`,
    [now],
  )
  return due.map(({ id, url, secrets, both }) => {
    const all = deps.vault.openJson(secrets, context(id)) as Secrets
    return { id, url, secrets: both ? all : all.slice(0, 1) }
  })
}

/** Puts a locked webhook behind the others. */
export async function noteClaimed(tx: Tx, { id }: Contact): Promise<void> {
  await write(tx, 'UPDATE webhook SET claimed_at = now() WHERE id = $1', [id])
}
