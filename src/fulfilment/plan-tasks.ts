import { randomUUIDv7 } from 'node:crypto'
import type { Adapter } from '../adapters/adapters.store.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import { ACTIONS, ACTIONS_OF, type Action } from '../pipeline.ts'
import { type Asked, configFor } from '../tasks/scope.ts'
import type { NewTask } from '../tasks/tasks.store.ts'
import { erasureOrder, inErasureOrder } from './erasure-order.ts'

/** Counting first is what shows that a copy is whole, and what a plan rests on: of use, but nobody has to be able to. */
const OPTIONAL: ReadonlySet<Action> = new Set(['locate'])

/** What carries a right out: a restriction is also how another one ends. */
export const actionsOf = ({ right }: Pick<DsarRequest, 'right'>, { lifts }: Details): readonly Action[] =>
  lifts ? ['lift_restriction'] : ACTIONS_OF[right]

/**
 * One task for each adapter and action, an adapter's next action waiting for its previous one. A suspended adapter gets its
 * tasks too: it holds data all the same, so its silence has to show. An adapter with nothing in scope gets one that is answered
 * at once, so that the count of adapters is never a guess; one that cannot do what is asked gets one that has failed, because
 * somebody has to do it by hand.
 */
export function planTasks(about: Asked, adapters: readonly Adapter[], actions: readonly Action[]): NewTask[] {
  return inErasureOrder(
    adapters.flatMap(adapter => tasksFor(about, adapter, actions)),
    erasureOrder(adapters),
  )
}

/** What is wrong with a task that its adapter has never said it can do. */
export const notSupported = (action: Action) => ({
  code: 'not_supported',
  detail: `It cannot '${ACTIONS[action]}': this has to be done by hand.`,
})

function tasksFor(about: Asked, adapter: Adapter, actions: readonly Action[]): NewTask[] {
  const config = configFor(about, adapter)
  const common = { adapterId: adapter.id, adapter: adapter.name, config }
  const last = actions.at(-1)
  if (config.datasets.length === 0 && last)
    return [{ ...common, id: randomUUIDv7(), action: last, answer: { status: 'nothing_in_scope', datasets: [] } }]
  const able = (action: Action) => adapter.manifest.actions.includes(ACTIONS[action])
  const done = actions.filter(action => able(action) || !OPTIONAL.has(action))
  const ids = done.map(() => randomUUIDv7())
  return done.map((action, i) => ({
    ...common,
    id: ids[i] as string,
    action,
    after: ids.slice(Math.max(0, i - 1), i),
    ...(!able(action) && { problem: notSupported(action) }),
  }))
}
