import { randomUUID } from 'node:crypto'
import { hashed } from '../adapters/hash-identity.ts'
import type { Identity, TaskCall } from '../adapters/protocol.ts'
import type { Details } from '../domain/details.ts'
import { ACTIONS } from '../pipeline.ts'
import type { Tx } from '../platform/database.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import type { KnownIdentity } from '../requests/identities.store.ts'
import { isEffect } from './judge-effect.ts'
import type { Task } from './tasks.store.ts'

export interface TaskCallDeps extends DetailsDeps {
  read: Tx
  identitiesOf(requestId: string): Promise<KnownIdentity[]>
  publicUrl: string
}

/** The question as the adapter gets it: the same on every try. Undefined when nothing is known to ask it with. */
export async function taskCallOf(deps: TaskCallDeps, task: Task): Promise<TaskCall | undefined> {
  const { key: taskId, attempt, dueAt } = task
  const call = await questionOf(deps, task)
  return (
    call && {
      taskId,
      ...call,
      attempt,
      dryRun: false,
      dueAt: dueAt.toISOString(),
      callbackUrl: callbackUrl(deps, task),
    }
  )
}

/** Where an adapter tells that a task is done. */
export const callbackUrl = ({ publicUrl }: { publicUrl: string }, { id }: Pick<Task, 'id'>): string =>
  `${publicUrl}/v1/callbacks/${id}`

type Question = Pick<Task, 'requestId' | 'action' | 'config'>

/**
 * How much there is: asked once, under a name of its own, and not called back about. Never a change with `dryRun` in it: an
 * adapter that overlooks one word would make it, before anybody approved and under any hold.
 */
export async function countCallOf(
  deps: TaskCallDeps,
  about: Pick<Question, 'requestId' | 'config'>,
  dueAt: Date,
): Promise<TaskCall | undefined> {
  const call = await questionOf(deps, { ...about, action: 'locate' })
  return call && { taskId: randomUUID(), ...call, attempt: 1, dryRun: true, dueAt: dueAt.toISOString() }
}

async function questionOf(deps: TaskCallDeps, task: Question) {
  const identities = await identitiesFor(deps, task)
  if (identities.length === 0) return undefined
  const details = isEffect(task.action) ? await detailsOf(deps, deps.read, task.requestId) : {}
  const { ground } = details
  return {
    requestId: task.requestId,
    action: ACTIONS[task.action],
    subject: { identities },
    scope: { datasets: task.config.datasets.map(({ name }) => name) },
    parameters: parametersOf(task, details),
    regulation: 'gdpr',
    ...(ground && { legalGround: ground }),
  }
}

/** What an adapter has to know to do it, and no more: only the corrections that concern what it holds, never the person's reasons. */
function parametersOf(
  { action, config }: Question,
  { corrections = [], ground, purposes, cookies }: Details,
): TaskCall['parameters'] {
  const held = (dataset: string) => config.datasets.some(({ name }) => name === dataset)
  switch (action) {
    case 'rectify':
      return { corrections: corrections.filter(({ dataset }) => held(dataset)) }
    case 'erase':
      return { ground: ground ?? '17_1_a' }
    case 'restrict':
      return { ground: ground?.startsWith('18') ? ground : '18_1_a' }
    case 'object':
      return { purposes: purposes ?? ['marketing'] }
    case 'withdraw_consent':
      return { purposes: purposes ?? [], cookies: cookies ?? [] }
    default:
      return {}
  }
}

/**
 * What an adapter may know of the person: for finding out who they are, what came with the request; for content, only what is
 * established. Neither grows while a task is tried again: one key stands for one question.
 */
async function identitiesFor(deps: TaskCallDeps, { requestId, action, config }: Question): Promise<Identity[]> {
  const all = await deps.identitiesOf(requestId)
  return all
    .filter(
      ({ type, given, provenance }) =>
        config.identityTypes.includes(type) && (action === 'resolve' ? given : provenance !== 'named'),
    )
    .map(({ type, value }) => (config.hashedTypes.includes(type) ? hashed(type, value) : { type, value }))
}
