import { randomUUIDv7 } from 'node:crypto'
import { retryDelay } from '../adapters/retry.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { endOfDay } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import type { Receiver } from '../policy/receivers.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { isExtended } from '../requests/clock-ledger.store.ts'
import { lastDayOf } from '../requests/clocks-of.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import { noteTransmission, type RecipientNotice } from '../tasks/recipients.store.ts'
import { packageOf, type SealedPackage } from './packages.store.ts'
import { type PostDeps, type Posted, postPackage } from './post-package.ts'
import {
  claimTransmission,
  insertTransmission,
  isWanted,
  type Settled,
  settleTransmission,
  type Transmission,
  transmissionOf,
} from './transmissions.store.ts'

export interface BeginDeps extends CaseDeps {
  vault: DetailsDeps['vault']
  receivers: readonly Receiver[]
  /** Of the controller. */
  timeZone: string
}

export interface TransmitDeps extends Omit<BeginDeps, 'vault'>, Omit<PostDeps, 'clock'> {
  transact: Transact
  random(): number
}

const BY = system('delivery')
const HOUR_MS = 3_600_000
/** So long a receiver is tried: its outage may not keep people waiting for their own copy. */
const PATIENCE_MS = 24 * HOUR_MS
const LOOK_EVERY_MS = 2000

/** Whether the package goes to another controller before the person is told; begins that where it is owed. Done again, nothing happens. */
export async function isTransmitting(deps: BeginDeps, tx: Tx, request: DsarRequest): Promise<boolean> {
  const begun = await transmissionOf(tx, request.id)
  if (begun) return begun.state === 'queued'
  const { transmitTo } = await detailsOf(deps, tx, request.id)
  if (!transmitTo) return false
  const name = deps.receivers.find(({ id }) => id === transmitTo)?.name ?? transmitTo
  const giveUpAt = await lastMoment(deps, tx, request)
  const at = deps.clock.now()
  await insertTransmission(tx, { id: randomUUIDv7(), requestId: request.id, receiver: transmitTo, name, giveUpAt, at })
  await noteTransmission(tx, request.id, { recipient: name, state: 'queued', why: null, changedAt: at })
  await deps.record(tx, requestStream(request.id), BY, 'transmission_begun', { receiver: transmitTo })
  await deps.enqueue(tx, 'transmit', { requestId: request.id })
  return true
}

/** An hour before the day of the answer ends, so that the person is told in time as well. */
async function lastMoment({ clock, timeZone }: BeginDeps, tx: Tx, request: DsarRequest): Promise<Date> {
  const day = lastDayOf(request, await isExtended(tx, request.id))
  const ends = [request.timeZone, timeZone].map(zone => endOfDay(day, zone).getTime() - HOUR_MS)
  return new Date(Math.min(clock.now().getTime() + PATIENCE_MS, ...ends))
}

/**
 * Sends the package to the controller that the person chose, and writes down what became of it; then the person is told. Its
 * outcome is noted after the fact, so a worker that is killed in between sends it again, under the same Idempotency-Key; once it is
 * known to have arrived, nothing sends it again.
 */
export async function transmit(deps: TransmitDeps, requestId: string): Promise<void> {
  const claimed = await deps.transact(tx => claim(deps, tx, requestId))
  if (!claimed) return
  const { transmission, sealed, endpoint } = claimed
  const outcome = await whileWanted(deps, transmission, signal =>
    postPackage(deps, sealed, { key: transmission.id, endpoint, signal }),
  )
  await deps.transact(tx => note(deps, tx, transmission, outcome))
}

interface Claimed {
  transmission: Transmission
  sealed: SealedPackage
  endpoint: string
}

async function claim(deps: TransmitDeps, tx: Tx, requestId: string): Promise<Claimed | undefined> {
  const { state } = await lockRequest(tx, requestId)
  const transmission = await claimTransmission(tx, requestId, deps.clock.now())
  const queued = transmission ?? (await transmissionOf(tx, requestId))
  if (state !== 'delivering' || queued?.state !== 'queued') return
  const sealed = await packageOf(tx, requestId)
  const endpoint = deps.receivers.find(({ id }) => id === queued.receiver)?.endpoint
  if (transmission && sealed && endpoint) {
    const { receiver, attempt } = transmission
    await deps.record(tx, requestStream(requestId), BY, 'transmission_tried', { receiver, attempt })
    return { transmission, sealed, endpoint }
  }
  const isLate = queued.giveUpAt <= deps.clock.now()
  await settle(deps, tx, queued, 'failed', !endpoint ? 'no_such_receiver' : isLate ? 'out_of_time' : 'no_package')
}

/** Who takes the request back, or revokes the package, ends its sending too. */
async function whileWanted(
  { read, clock }: TransmitDeps,
  transmission: Transmission,
  send: (signal: AbortSignal) => Promise<Posted>,
): Promise<Posted> {
  const stop = new AbortController()
  const look = async () => {
    if (!(await isWanted(read, transmission, clock.now()))) stop.abort()
  }
  const watch = setInterval(() => void look().catch(() => stop.abort()), LOOK_EVERY_MS)
  return send(stop.signal).finally(() => clearInterval(watch))
}

async function note(deps: TransmitDeps, tx: Tx, transmission: Transmission, posted: Posted): Promise<void> {
  const { requestId, attempt, receiver, giveUpAt } = transmission
  const request = await lockRequest(tx, requestId)
  if (posted.kind === 'delivered') return settle(deps, tx, transmission, 'delivered', null)
  const { problem } = posted
  const facts = { receiver, attempt, problem }
  if (posted.kind === 'stopped' || request.state !== 'delivering') {
    await deps.record(tx, requestStream(requestId), BY, 'transmission_stopped', facts)
    const isLatest = (await transmissionOf(tx, requestId))?.attempt === attempt
    if (isLatest && request.state === 'delivering') await deps.enqueue(tx, 'transmit', { requestId })
    return
  }
  if (posted.kind !== 'later') return settle(deps, tx, transmission, posted.kind, problem)

  const now = deps.clock.now()
  const afterSeconds = retryDelay(deps, { attempt, now, dueAt: giveUpAt, retryAfter: posted.afterSeconds })
  if (now.getTime() + afterSeconds * 1000 >= giveUpAt.getTime()) return settle(deps, tx, transmission, 'failed', problem)
  await deps.record(tx, requestStream(requestId), BY, 'transmission_delayed', facts)
  await deps.enqueue(tx, 'transmit', { requestId }, { afterSeconds })
}

/** What a settled transmission is in the list of recipients. */
const AS_NOTICE: Record<Settled, RecipientNotice['state']> = {
  delivered: 'acknowledged',
  refused: 'impossible',
  failed: 'failed',
  dropped: 'failed',
}

async function settle(deps: CaseDeps, tx: Tx, transmission: Transmission, state: Settled, problem: string | null): Promise<void> {
  const { requestId, receiver, name, attempt } = transmission
  const at = deps.clock.now()
  if (!(await settleTransmission(tx, transmission, { state, problem, at }))) return
  await noteTransmission(tx, requestId, { recipient: name, state: AS_NOTICE[state], why: problem, changedAt: at })
  const facts = { receiver, attempt, ...(problem !== null && { problem }) }
  await deps.record(tx, requestStream(requestId), BY, `transmission_${state}`, facts)
  if (state !== 'dropped') await deps.enqueue(tx, 'hand-over', { requestId })
}

/** Ends a transmission with the request that it was for. One that is on its way right now may still arrive, and then that is noted. */
export async function dropTransmission(deps: CaseDeps, tx: Tx, requestId: string): Promise<void> {
  const queued = await transmissionOf(tx, requestId)
  if (queued?.state === 'queued') await settle(deps, tx, queued, 'dropped', 'request_ended')
}
