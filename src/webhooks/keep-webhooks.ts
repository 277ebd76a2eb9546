import { type Recorder, WEBHOOKS } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { failQueued, replay } from './deliveries.store.ts'
import {
  deleteWebhook,
  insertWebhook,
  replaceSecret,
  type SecretDeps,
  updateWebhook,
  type Webhook,
  type WebhookChange,
} from './webhooks.store.ts'

export interface KeepDeps extends SecretDeps {
  clock: Clock
  record: Recorder
}

const factsOf = ({ id, owner }: Webhook) => ({ webhook: id, owner })

/** The caller's own from now on: it is told of what it sees. */
export async function createWebhook(
  deps: KeepDeps,
  tx: Tx,
  given: Pick<Webhook, 'url' | 'events'> & { secret: string },
  caller: Caller,
): Promise<Webhook> {
  const webhook = await insertWebhook(deps, tx, { ...given, owner: caller.id }, deps.clock.now())
  await deps.record(tx, WEBHOOKS, toActor(caller), 'webhook_created', { ...factsOf(webhook), events: webhook.events })
  return webhook
}

/** Changes a locked webhook. Switched off, it is told nothing, neither now nor later; switched on again, what comes from then on. */
export async function changeWebhook(
  deps: KeepDeps,
  tx: Tx,
  webhook: Webhook,
  change: Pick<WebhookChange, 'url' | 'events' | 'state'>,
  caller: Caller,
): Promise<Webhook> {
  const now = deps.clock.now()
  const state = change.state ?? webhook.state
  const disabledBecause = state === 'active' ? null : (webhook.disabledBecause ?? 'switched_off')
  const failingSince = change.url || change.state === 'active' ? null : webhook.failingSince
  const changed = await updateWebhook(tx, webhook, { ...change, disabledBecause, failingSince }, now)
  if (state === 'disabled') await failQueued(tx, webhook.id, 'disabled', now)
  await deps.record(tx, WEBHOOKS, toActor(caller), 'webhook_changed', { ...factsOf(webhook), what: Object.keys(change), state })
  return changed
}

/** Signs with a new secret from now on, and for so long with the one before it as well. */
export async function rotateSecret(
  deps: KeepDeps,
  tx: Tx,
  webhook: Webhook,
  { secret, overlapHours }: { secret: string; overlapHours: number },
  caller: Caller,
): Promise<Webhook> {
  const now = deps.clock.now()
  const bothUntil = new Date(now.getTime() + overlapHours * 3_600_000)
  const changed = await replaceSecret(deps, tx, webhook, { secret, bothUntil, now })
  await deps.record(tx, WEBHOOKS, toActor(caller), 'webhook_secret_replaced', {
    ...factsOf(webhook),
    bothUntil: bothUntil.toISOString(),
  })
  return changed
}

export async function removeWebhook(deps: KeepDeps, tx: Tx, webhook: Webhook, caller: Caller): Promise<void> {
  await deleteWebhook(tx, webhook)
  await deps.record(tx, WEBHOOKS, toActor(caller), 'webhook_removed', factsOf(webhook))
}

/** Sends again what a webhook was told: one delivery, or all since a moment. @throws Problem `unprocessable` while it is switched off */
export async function replayDeliveries(
  deps: KeepDeps,
  tx: Tx,
  webhook: Webhook,
  which: { delivery: string } | { since: Date },
  caller: Caller,
): Promise<number> {
  if (webhook.state === 'disabled') throw new Problem('unprocessable', 'It is switched off; switch it on first.')
  const replayed = await replay(tx, webhook.id, which, deps.clock.now())
  await deps.record(tx, WEBHOOKS, toActor(caller), 'webhook_replayed', { ...factsOf(webhook), deliveries: replayed })
  return replayed
}
