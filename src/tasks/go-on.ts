import { system } from '../domain/actor.ts'
import type { State } from '../domain/lifecycle.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Action, RequestJob } from '../pipeline.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, setFlag } from '../requests/apply-event.ts'
import { releaseAfter, type Standing, standingOf, type Task } from './tasks.store.ts'

/** After this many failures in a row the staff see it; the adapter goes on being asked until the answer is there. */
const FAILURES_UNTIL_FLAGGED = 4
/** Others may wait for these to be done. */
const HAS_FOLLOWERS: ReadonlySet<Action> = new Set(['locate', 'rectify', 'erase'])

/** Has a request, which the caller has locked, go on with what a task that changed, and is now as given, has held up. */
export async function goOn(deps: CaseDeps, tx: Tx, request: DsarRequest, task: Task, standing?: Standing): Promise<void> {
  const now = standing ?? (await standingAfter(tx, task))
  await reflag(deps, tx, request, now)
  const owed = owedAfter(task, request.state, now)
  if (owed) await deps.enqueue(tx, owed, { requestId: request.id })
}

/** What goes on once the last of the tasks that belong together is done; a later round is also over when some need a person. */
function owedAfter({ action, round }: Task, state: State, { open, underWay }: Standing): RequestJob | undefined {
  if (round > 0) return underWay === 0 ? 'conclude-round' : undefined
  if (open > 0) return undefined
  if (state === 'fulfilling') return 'conclude-fulfilment'
  return action === 'resolve' ? 'weigh-identity' : undefined
}

/** How the tasks of a request stand with this one, as it is now; those that waited for it alone wait no more. */
export async function standingAfter(
  tx: Tx,
  task: Pick<Task, 'id' | 'requestId' | 'action' | 'round' | 'state'>,
): Promise<Standing> {
  const [, standing] = await Promise.all([
    task.state === 'done' && HAS_FOLLOWERS.has(task.action) ? releaseAfter(tx, task) : undefined,
    standingOf(tx, task, FAILURES_UNTIL_FLAGGED),
  ])
  return standing
}

/** The flags of a request, which the caller has locked, say how its tasks stand. */
export async function reflag(
  deps: CaseDeps,
  tx: Tx,
  { id, flags }: Pick<DsarRequest, 'id' | 'flags'>,
  standing: Standing,
): Promise<void> {
  for (const flag of ['failed_task', 'quarantined', 'unconfirmed_erasure'] as const)
    if (flags.includes(flag) !== standing[flag]) await setFlag(deps, tx, id, flag, standing[flag], system('fulfilment'))
}
