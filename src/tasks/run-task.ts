import { setTimeout as sleep } from 'node:timers/promises'
import type { ContactOf } from '../adapters/adapters.store.ts'
import type { CallLimits } from '../adapters/call-limits.ts'
import type { Connectors } from '../adapters/kinds.ts'
import type { Correction } from '../domain/details.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { type Protection, protectionOf } from '../policy/others-rights.ts'
import type { Policy } from '../policy/policy.ts'
import type { DataKeyOf } from '../requests/data-key.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { giveBack, keepLease, LEASE_SECONDS } from './claims.store.ts'
import { gateBefore } from './gate.store.ts'
import { changeBehind, isEffect } from './judge-effect.ts'
import { readBack } from './read-back.ts'
import { type Came, type ReceiveDeps, receiveAnswer } from './receive-answer.ts'
import type { Arrived, Receive } from './receive-together.ts'
import { openSpool, type Spool } from './spool.ts'
import { type TaskCallDeps, taskCallOf } from './task-call.ts'
import { locationContext, type Task, tasksOf } from './tasks.store.ts'
import { withholding } from './withhold.ts'

export interface RunDeps extends ReceiveDeps, IdentityDeps, DetailsDeps {
  connectors: Connectors
  contactOf: ContactOf
  identitiesOf: TaskCallDeps['identitiesOf']
  vault: Vault
  read: Tx
  blobs: BlobStore
  publicUrl: string
  policy: Policy
  callLimits: CallLimits
  keyOf: DataKeyOf
  receive: Receive
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
    const gate = isEffect(task.action) ? await gateBefore(deps, task, deps.clock.now()) : 'open'
    if (gate === 'shut') return await giveBack(deps.read, task)
    const signal = AbortSignal.any([stopping, lease.signal])
    const asked = gate === 'needless' ? nothing({ kind: 'needless' }) : await ask(deps, task, signal)
    const interrupted = stopping.aborted && asked.answer.kind === 'later' && asked.answer.code === 'aborted'
    if (interrupted) await giveBack(deps.read, task)
    else await keep(deps, task, asked)
  } catch (error) {
    deps.onError(error)
  } finally {
    clearInterval(heartbeat)
  }
}

interface Asked extends Omit<Arrived, 'task'> {
  /** Takes away what came. */
  discard?(): Promise<void>
}

const nothing = (answer: Came): Asked => ({ answer, parts: [] })

/**
 * Writes down what came. The database may be away for a moment, and an answer is dear: it is tried a few times. Once a try has
 * thrown, whether it had been kept is not known: then the blobs stay, and are swept if nobody names them. What failed in company is tried
 * by itself, so that one answer that cannot be taken in keeps no other out.
 */
async function keep(deps: RunDeps, task: Task, { answer, parts, discard }: Asked): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const kept =
        tries === 1
          ? await deps.receive({ task, answer, parts })
          : await deps.transact(tx => receiveAnswer(deps, tx, task, answer, parts))
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
    const [call, { kind, ...contact }] = await Promise.all([taskCallOf(deps, task), deps.contactOf(task.adapterId)])
    if (!call)
      return nothing({
        kind: 'failed',
        code: 'no_identity',
        detail: 'It takes no kind of identity that is known of this person.',
      })
    const back = task.action === 'read_back' ? readBack(await correctionsOf(deps, task)) : undefined
    spool = task.action === 'collect' ? await spoolFor(deps, task) : undefined
    const withhold = spool && withholding(spool, protectionsFor(deps.policy, task))
    const sink = back ?? withhold
    const answer = await deps.connectors[kind].ask({
      ...contact,
      baseUrl: task.config.baseUrl,
      ...(task.locationSealed && { location: deps.vault.open(task.locationSealed, locationContext(task.id)).toString('utf8') }),
      task: call,
      limits: deps.callLimits,
      ...(sink && { sink }),
      signal,
    })
    if (answer.kind === 'collected' && spool && withhold)
      return { answer: { ...answer, withheld: withhold.withheld() }, parts: await spool.finish(), discard: spool.abort }
    await spool?.abort()
    return nothing(
      answer.kind === 'collected' && back
        ? { kind: 'read_back', datasets: answer.datasets, uncorrected: back.uncorrected() }
        : answer,
    )
  } catch (error) {
    deps.onError(error)
    await spool?.abort().catch(deps.onError)
    return nothing({ kind: 'later', code: 'own_trouble', detail: 'What it sent could not be taken in.' })
  }
}

/** Those that this adapter says it made: where it holds nothing there is nothing to be read back. */
async function correctionsOf(deps: RunDeps, task: Task): Promise<Correction[]> {
  const { corrections = [] } = await detailsOf(deps, deps.read, task.requestId)
  const made = changeBehind(task, await tasksOf(deps.read, task.requestId))?.answer?.datasets ?? []
  return corrections.filter(({ dataset }) => made.some(({ name, outcome }) => name === dataset && outcome === 'completed'))
}

async function spoolFor({ blobs, keyOf }: RunDeps, { id, requestId, attempt, config }: Task): Promise<Spool> {
  const columns = new Map(config.datasets.map(({ name, fields }) => [name, fields.map(field => field.name)]))
  return openSpool({ blobs, key: await keyOf(requestId), prefix: `requests/${requestId}/parts/${id}/${attempt}`, columns })
}

const protectionsFor = (policy: Policy, { adapter, config }: Task): Map<string, Protection> =>
  new Map(
    config.datasets.flatMap(dataset => {
      const protection = protectionOf(policy, adapter, dataset)
      return protection ? [[dataset.name, protection] as const] : []
    }),
  )
