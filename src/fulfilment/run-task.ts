import { createHash, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { secretsOf } from '../adapters/adapters.store.ts'
import type { Answer } from '../adapters/answer.ts'
import { type AdapterCall, type CallDeps, callAdapter } from '../adapters/call-adapter.ts'
import type { CallLimits } from '../adapters/call-limits.ts'
import type { Identity } from '../adapters/protocol.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { type IdentityDeps, identitiesOf } from '../requests/identities.store.ts'
import { giveBack, keepLease, LEASE_SECONDS } from './claims.store.ts'
import { type ReceiveDeps, receiveAnswer } from './receive-answer.ts'
import { openSpool, type Spool, type SpooledPart } from './spool.ts'
import type { Task } from './tasks.store.ts'

export interface RunDeps extends ReceiveDeps, IdentityDeps, CallDeps {
  vault: Vault
  read: Tx
  blobs: BlobStore
  publicUrl: string
  callLimits: CallLimits
  keyOf(read: Tx, requestId: string): Promise<KeyObject>
  onError(error: unknown): void
}

/** So many workers in a row fell silent over a task: it may be what silences them, and a person has to look. */
const WORKERS_LOST = 5

const TRIES_TO_KEEP = 5

/** Runs one claimed task: asks the adapter, holding no transaction, then writes down what came of it in one. Never throws. */
export async function runTask(deps: RunDeps, task: Task, stopping: AbortSignal): Promise<void> {
  const lease = new AbortController()
  const heartbeat = setInterval(
    () => {
      keepLease(deps.read, task).then(kept => kept || lease.abort(new Error('the task is no longer ours')), deps.onError)
    },
    (LEASE_SECONDS * 1000) / 3,
  )
  try {
    const asked = await ask(deps, task, AbortSignal.any([stopping, lease.signal]))
    const interrupted = stopping.aborted && asked.answer.kind === 'later' && asked.answer.code === 'aborted'
    if (interrupted) await giveBack(deps.read, task)
    else await keep(deps, task, asked)
  } catch (error) {
    deps.onError(error)
  } finally {
    clearInterval(heartbeat)
  }
}

interface Asked {
  answer: Answer
  parts: SpooledPart[]
  /** Takes away what came. */
  discard?(): Promise<void>
}

const nothing = (answer: Answer): Asked => ({ answer, parts: [] })

/**
 * Writes down what came. The database may be away for a moment, and an answer is dear: it is tried a few times. Once a try has
 * thrown, whether it had been kept is not known: then the blobs stay, and are swept if nobody names them.
 */
async function keep(deps: RunDeps, task: Task, { answer, parts, discard }: Asked): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const kept = await deps.transact(tx => receiveAnswer(deps, tx, task, answer, parts))
      if (!kept && tries === 1) await discard?.()
      return
    } catch (error) {
      if (tries === TRIES_TO_KEEP) throw error
      await sleep(1000)
    }
  }
}

/** Asks, and takes in what comes. Trouble of our own (a full disk) is told like an adapter's: it shows on the task, and is tried again. */
async function ask(deps: RunDeps, task: Task, signal: AbortSignal): Promise<Asked> {
  if (task.lost >= WORKERS_LOST)
    return nothing({ kind: 'failed', code: 'worker_lost', detail: `${task.lost} workers in a row fell silent over it.` })
  let spool: Spool | undefined
  try {
    const identities = await identitiesFor(deps, task)
    if (identities.length === 0)
      return nothing({
        kind: 'failed',
        code: 'no_identity',
        detail: 'It takes no kind of identity that is known of this person.',
      })
    spool = task.action === 'collect' ? await spoolFor(deps, task) : undefined
    const answer = await callAdapter(deps, { ...(await callOf(deps, task, identities)), ...(spool && { sink: spool }), signal })
    if (answer.kind === 'collected' && spool) return { answer, parts: await spool.finish(), discard: spool.abort }
    await spool?.abort()
    return nothing(answer)
  } catch (error) {
    deps.onError(error)
    await spool?.abort().catch(deps.onError)
    return nothing({ kind: 'later', code: 'own_trouble', detail: 'What it sent could not be taken in.' })
  }
}

async function callOf(deps: RunDeps, task: Task, identities: Identity[]): Promise<AdapterCall> {
  return {
    baseUrl: task.config.baseUrl,
    secrets: await secretsOf(deps, deps.read, task.adapterId),
    ...(task.location && { location: task.location }),
    task: {
      taskId: task.key,
      requestId: task.requestId,
      action: task.action,
      attempt: task.attempt,
      dryRun: false,
      subject: { identities },
      scope: { datasets: task.config.datasets.map(({ name }) => name) },
      parameters: {},
      dueAt: task.dueAt.toISOString(),
      callbackUrl: `${deps.publicUrl}/v1/callbacks/${task.id}`,
      regulation: 'gdpr',
    },
    limits: deps.callLimits,
  }
}

/**
 * What an adapter may know of the person: for finding out who they are, what came with the request; for content, only what is
 * established. Neither grows while a task is tried again: one key stands for one question.
 */
async function identitiesFor(deps: RunDeps, { requestId, action, config }: Task): Promise<Identity[]> {
  const all = await identitiesOf(deps, deps.read, requestId)
  return all
    .filter(
      ({ type, given, provenance }) =>
        config.identityTypes.includes(type) && (action === 'resolve' ? given : provenance !== 'named'),
    )
    .map(({ type, value }) => (config.hashedTypes.includes(type) ? hashed(type, value) : { type, value }))
}

/** Lower-case hex of the SHA-256, of an e-mail address in lower case: what an adapter keeps that was never to know the address. */
function hashed(type: string, value: string): Identity {
  const plain = type === 'email' ? value.toLowerCase() : value
  return { type, value: createHash('sha256').update(plain).digest('hex'), format: 'sha256' }
}

async function spoolFor({ blobs, keyOf, read }: RunDeps, { id, requestId, attempt, config }: Task): Promise<Spool> {
  const columns = new Map(config.datasets.map(({ name, fields }) => [name, fields.map(field => field.name)]))
  return openSpool({ blobs, key: await keyOf(read, requestId), prefix: `requests/${requestId}/parts/${id}/${attempt}`, columns })
}
