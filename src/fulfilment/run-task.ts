import type { KeyObject } from 'node:crypto'
import { secretsOf } from '../adapters/adapters.store.ts'
import type { Answer } from '../adapters/answer.ts'
import { type CallDeps, callAdapter } from '../adapters/call-adapter.ts'
import type { CallLimits } from '../adapters/call-limits.ts'
import type { Identity } from '../adapters/protocol.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { type IdentityDeps, identitiesOf } from '../requests/identities.store.ts'
import { type ReceiveDeps, receiveAnswer } from './receive-answer.ts'
import { openSpool, type Spool, type SpooledPart } from './spool.ts'
import { giveBack, keepLease, LEASE_SECONDS, type Task } from './tasks.store.ts'

export interface RunDeps extends ReceiveDeps, IdentityDeps, CallDeps {
  vault: Vault
  read: Tx
  blobs: BlobStore
  publicUrl: string
  callLimits: CallLimits
  keyOf(read: Tx, requestId: string): Promise<KeyObject>
  onError(error: unknown): void
}

/** Runs one claimed task: asks the adapter, holding no transaction, then writes down what came of it in one. */
export async function runTask(deps: RunDeps, task: Task, stopping: AbortSignal): Promise<void> {
  const lease = new AbortController()
  const heartbeat = setInterval(
    () => {
      keepLease(deps.read, task).then(kept => kept || lease.abort(new Error('the task is no longer ours')), deps.onError)
    },
    (LEASE_SECONDS * 1000) / 3,
  )
  try {
    const { answer, parts, spool } = await ask(deps, task, AbortSignal.any([stopping, lease.signal]))
    if (stopping.aborted) await giveBack(deps.read, task)
    const kept = !stopping.aborted && (await deps.transact(tx => receiveAnswer(deps, tx, task, answer, parts)))
    if (!kept) await spool?.abort()
  } catch (error) {
    deps.onError(error)
  } finally {
    clearInterval(heartbeat)
  }
}

interface Asked {
  answer: Answer
  parts: SpooledPart[]
  spool?: Spool
}

async function ask(deps: RunDeps, task: Task, signal: AbortSignal): Promise<Asked> {
  const identities = await identitiesFor(deps, task)
  if (identities.length === 0)
    return {
      answer: { kind: 'failed', code: 'no_identity', detail: 'It takes no kind of identity that is known of this person.' },
      parts: [],
    }
  const spool = task.action === 'collect' ? await spoolFor(deps, task) : undefined
  const answer = await callAdapter(deps, {
    baseUrl: task.config.baseUrl,
    secrets: await secretsOf(deps, deps.read, task.adapterId),
    ...(task.location && { location: task.location }),
    task: {
      taskId: task.id,
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
    ...(spool && { sink: spool }),
    limits: deps.callLimits,
    signal,
  })
  if (answer.kind !== 'collected') {
    await spool?.abort()
    return { answer, parts: [] }
  }
  return { answer, parts: spool ? await spool.finish() : [], ...(spool && { spool }) }
}

/** What an adapter may know of the person: for finding out who they are, whatever was named; for content, only what is established. */
async function identitiesFor(deps: RunDeps, { requestId, action, config }: Task): Promise<Identity[]> {
  const all = await identitiesOf(deps, deps.read, requestId)
  return all
    .filter(({ type, provenance }) => config.identityTypes.includes(type) && (action === 'resolve' || provenance !== 'named'))
    .map(({ type, value }) => ({ type, value }))
}

async function spoolFor({ blobs, keyOf, read }: RunDeps, { id, requestId, attempt, config }: Task): Promise<Spool> {
  const columns = new Map(config.datasets.map(({ name, fields }) => [name, fields.map(field => field.name)]))
  return openSpool({ blobs, key: await keyOf(read, requestId), prefix: `requests/${requestId}/parts/${id}/${attempt}`, columns })
}
