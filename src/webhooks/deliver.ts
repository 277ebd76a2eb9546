import { parseRetryAfter } from '../adapters/retry.ts'
import { signCall } from '../adapters/signing.ts'
import { type Recorder, WEBHOOKS } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type Outbound, OutboundError } from '../platform/outbound.ts'
import { type Delivery, failQueued, giveBack, type Noted, noteAttempt } from './deliveries.store.ts'
import { nextTry } from './next-try.ts'
import { type Contact, lockWebhook, updateWebhook, type Webhook } from './webhooks.store.ts'

export interface DeliverDeps {
  transact: Transact
  outbound: Pick<Outbound, 'request'>
  clock: Clock
  record: Recorder
  random(): number
  onDelivery(outcome: 'delivered' | 'later' | 'failed' | 'gone'): void
  onError(error: unknown): void
}

/** An attempt that has begun, with where it goes. */
export interface Attempt {
  delivery: Delivery
  to: Contact
}

/** What a subscriber does with the answer is its own affair: none of its bytes are read. */
const LIMITS = { headersMs: 15_000, idleMs: 15_000, totalMs: 15_000, bytes: Number.POSITIVE_INFINITY }
const BY = system('webhooks')

/** How an attempt ended. */
interface Ended {
  /** What was answered; nothing where no answer came. */
  status: number | null
  problem: string | null
  retryAfter?: number | undefined
}

/** Makes one attempt, holding no transaction, then writes down how it ended in one. Never throws: what is not written down is tried again. */
export async function deliver(deps: DeliverDeps, { delivery, to }: Attempt, stopping: AbortSignal): Promise<void> {
  try {
    const ended = await post(deps, delivery, to, stopping)
    await deps.transact(tx =>
      stopping.aborted && ended.problem === 'aborted' ? giveBack(tx, delivery) : note(deps, tx, { delivery, to }, ended),
    )
  } catch (error) {
    deps.onError(error)
  }
}

async function post({ outbound, clock }: DeliverDeps, delivery: Delivery, to: Contact, signal: AbortSignal): Promise<Ended> {
  const { id, type, occurredAt, data } = delivery
  const body = JSON.stringify({ type, timestamp: occurredAt.toISOString(), data })
  try {
    const { status, headers, discard } = await outbound.request({
      method: 'POST',
      url: to.url,
      headers: { 'content-type': 'application/json', ...signCall(to.secrets, id, realTime(clock), body) },
      body,
      limits: LIMITS,
      signal,
    })
    discard()
    const isTaken = status >= 200 && status < 300
    return { status, problem: isTaken ? null : 'status', retryAfter: parseRetryAfter(headers['retry-after'], realTime(clock)) }
  } catch (error) {
    if (error instanceof OutboundError) return { status: null, problem: error.reason }
    throw error
  }
}

async function note(deps: DeliverDeps, tx: Tx, { delivery, to }: Attempt, { status, problem, retryAfter }: Ended): Promise<void> {
  const webhook = await lockWebhook(tx, delivery.webhookId)
  if (!webhook) return
  const now = deps.clock.now()
  const isGone = status === 410
  const seconds = problem && !isGone ? nextTry(deps, { tries: delivery.tries, retryAfter }) : undefined
  const state: Noted['state'] = problem === null ? 'delivered' : seconds ? 'queued' : 'failed'
  const dueAt = new Date(now.getTime() + (seconds ?? 0) * 1000)
  if (!(await noteAttempt(tx, delivery, { state, status, problem, dueAt, at: now }))) return

  deps.onDelivery(isGone ? 'gone' : state === 'queued' ? 'later' : state)
  if (state === 'delivered' && webhook.failingSince) await updateWebhook(tx, webhook, { failingSince: null }, now)
  // Of an address that was replaced meanwhile, nothing follows for the new one.
  if (state !== 'failed' || webhook.url !== to.url) return
  if (isGone) await disable(deps, tx, webhook)
  else await flag(deps, tx, webhook, now)
}

async function disable(deps: DeliverDeps, tx: Tx, webhook: Webhook): Promise<void> {
  if (webhook.state === 'disabled') return
  const now = deps.clock.now()
  await updateWebhook(tx, webhook, { state: 'disabled', disabledBecause: 'gone' }, now)
  await failQueued(tx, webhook.id, 'disabled', now)
  await deps.record(tx, WEBHOOKS, BY, 'webhook_disabled', { webhook: webhook.id, owner: webhook.owner, because: 'gone' })
}

async function flag(deps: DeliverDeps, tx: Tx, webhook: Webhook, now: Date): Promise<void> {
  if (webhook.failingSince) return
  await updateWebhook(tx, webhook, { failingSince: now }, now)
  await deps.record(tx, WEBHOOKS, BY, 'webhook_failing', { webhook: webhook.id, owner: webhook.owner })
}
