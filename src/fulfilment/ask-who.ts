import { randomUUIDv7 } from 'node:crypto'
import { holdAdapters } from '../adapters/adapters.store.ts'
import type { Transact } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { type IdentityDeps, identitiesOf } from '../requests/identities.store.ts'
import { type LastMomentDeps, lastMomentOf } from '../requests/last-moment.ts'
import { configOf } from '../tasks/scope.ts'
import { insertTasks, type NewTask, type TaskAnswer } from '../tasks/tasks.store.ts'

const CANNOT_KNOW = { status: 'unknown_person', datasets: [] } satisfies TaskAnswer

export interface AskWhoDeps extends CaseDeps, IdentityDeps, LastMomentDeps {
  transact: Transact
}

/**
 * Has everybody who knows people asked who this is. They are told identities only, and asked for no content. Who takes no kind of
 * identity that was named cannot know, which is an answer.
 */
export async function askWho(deps: AskWhoDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    if (request.state !== 'verifying') return
    const [all, dueAt, identities] = await Promise.all([
      holdAdapters(tx),
      lastMomentOf(deps, tx, request),
      identitiesOf(deps, tx, requestId),
    ])
    const adapters = all.filter(({ manifest }) => manifest.actions.includes('resolve'))
    const named = new Set(identities.map(({ type }) => type))
    const tasks = adapters.map((adapter): NewTask => {
      const config = configOf(adapter, [])
      const task = { id: randomUUIDv7(), adapterId: adapter.id, adapter: adapter.name, action: 'resolve', config } as const
      return config.identityTypes.some(type => named.has(type)) ? task : { ...task, answer: CANNOT_KNOW }
    })
    await insertTasks(tx, { requestId, round: 0, dueAt, now: deps.clock.now() }, tasks)
    if (tasks.every(({ answer }) => answer)) await deps.enqueue(tx, 'weigh-identity', { requestId })
    else await deps.enqueue(tx, 'dispatch-tasks', {})
  })
}
