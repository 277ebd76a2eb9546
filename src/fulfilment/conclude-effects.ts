import { randomUUIDv7 } from 'node:crypto'
import { adaptersIn } from '../adapters/adapters.store.ts'
import { system } from '../domain/actor.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, noteCompleteness, setFlag } from '../requests/apply-event.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import { type LastMomentDeps, lastMomentOf } from '../requests/last-moment.ts'
import { noteRecipients, type RecipientDeps } from '../tasks/recipients.store.ts'
import { insertTasks, type NewTask, type Task } from '../tasks/tasks.store.ts'
import { completenessOfEffects } from './completeness.ts'
import { scheduleRescans } from './later-rounds.store.ts'
import { keepLeftovers } from './leftovers.store.ts'
import { type MarkDeps, markAtLast } from './mark-subject.ts'
import { actionsOf, notSupported } from './plan-tasks.ts'

export interface ConcludeEffectsDeps
  extends CaseDeps,
    LastMomentDeps,
    RecipientDeps,
    Omit<DetailsDeps, 'vault'>,
    Omit<MarkDeps, 'vault'> {
  vault: DetailsDeps['vault'] & MarkDeps['vault']
}

const BY = system('fulfilment')

/**
 * Says what was changed once every adapter has done and, where something had to go, been looked at again. What the law keeps is
 * restricted first (Art. 18): nobody is told it is kept aside before it is. Where nobody was asked nothing was done, and nothing
 * is said to be.
 */
export async function concludeEffects(
  deps: ConcludeEffectsDeps,
  tx: Tx,
  request: DsarRequest,
  tasks: readonly Task[],
): Promise<void> {
  const { id } = request
  const details = await detailsOf(deps, tx, id)
  // What was asked while it cooled off may all be answered before anybody is asked to carry it out.
  const last = actionsOf(request, details).at(-1)
  if (tasks.length > 0 && !tasks.some(({ action }) => action === last)) return
  const completeness = completenessOfEffects(tasks)
  await noteCompleteness(tx, id, completeness)
  if (tasks.length === 0) return setFlag(deps, tx, id, 'failed_task', true, BY)
  // Nobody holds what was to be corrected: that is no answer until somebody has said so.
  if (request.right === 'rectification' && !tasks.some(isDone)) return setFlag(deps, tx, id, 'needs_decision', true, BY)
  if (await restrictKept(deps, tx, request, tasks)) return

  if (request.right === 'erasure' || request.right === 'under_age_report') {
    await keepLeftovers(tx, id, tasks)
    await scheduleRescans(tx, id, deps.clock.now())
  }
  await markAtLast(deps, tx, request, details, tasks)
  await noteRecipients(deps, tx, request, tasks)
  await applyEvent(deps, tx, id, 'carried_out', BY, {
    complete: completeness.complete,
    adaptersAsked: completeness.adaptersAsked,
    adaptersAnswered: completeness.adaptersAnswered,
  })
}

const isDone = ({ answer }: Task): boolean => answer?.datasets.some(({ outcome }) => outcome === 'completed') === true

/** Has what an erasure left restricted, by hand where the adapter cannot do that. @returns whether that has to be waited for */
async function restrictKept(
  deps: CaseDeps & LastMomentDeps,
  tx: Tx,
  request: DsarRequest,
  tasks: readonly Task[],
): Promise<boolean> {
  const restricted = new Set(tasks.filter(({ action }) => action === 'restrict').map(({ adapterId }) => adapterId))
  const able = new Set((await adaptersIn(tx)).filter(({ manifest }) => manifest.actions.includes('restrict')).map(({ id }) => id))
  const owed = tasks.flatMap((task): NewTask[] => {
    const kept = task.action === 'erase' ? keptBy(task) : []
    if (kept.length === 0 || restricted.has(task.adapterId)) return []
    const { adapterId, adapter, config } = task
    const datasets = config.datasets.filter(({ name }) => kept.includes(name))
    const made: NewTask = { id: randomUUIDv7(), adapterId, adapter, action: 'restrict', config: { ...config, datasets } }
    return [able.has(adapterId) ? made : { ...made, problem: notSupported('restrict') }]
  })
  if (owed.length === 0) return false
  if (owed.some(({ problem }) => problem)) await setFlag(deps, tx, request.id, 'failed_task', true, BY)
  const dueAt = await lastMomentOf(deps, tx, request)
  await insertTasks(tx, { requestId: request.id, round: 0, dueAt, now: deps.clock.now() }, owed)
  await deps.enqueue(tx, 'dispatch-tasks', {})
  return true
}

const keptBy = ({ answer }: Task): string[] =>
  (answer?.datasets ?? []).filter(({ outcome }) => outcome === 'retained').map(({ name }) => name)
