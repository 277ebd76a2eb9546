import { OVERSIGHT } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { dayIn } from '../domain/day.ts'
import { Problem } from '../domain/problem.ts'
import type { Database, Tx } from '../platform/database.ts'
import type { CaseDeps } from './apply-event.ts'
import { isOfficer } from './contents.ts'
import type { IdentityDeps } from './identities.store.ts'
import { noteColleague } from './reserved.store.ts'
import { countOpening, firstAlarmOf } from './viewing-budget.store.ts'

/** How many different cases somebody of the staff may open in 24 hours. */
export interface ViewingBudgets {
  officers: number
  others: number
}

export interface OpenCaseDeps extends CaseDeps, IdentityDeps, Database {
  timeZone: string
  viewingBudgets: ViewingBudgets
  tellOfficerOfViews(tx: Tx, viewer: string, day: string, budget: number): Promise<void>
  onBudgetSpent(): void
}

/** What is done before anything of a case is answered. @throws Problem `too_many_requests` */
export type OpenCase = (caller: Caller, requestId: string | undefined) => Promise<void>

/**
 * Watches over the staff: each is known as a colleague from their first call on, and opens so many different cases a day. Whoever
 * wants more is turned away, and the privacy officer is told, once a day each.
 */
export function watchStaff(deps: OpenCaseDeps): OpenCase {
  const known = new Set<string>()
  return async (caller, requestId) => {
    if (caller.kind !== 'support_agent') return
    if (!known.has(caller.id)) {
      await deps.transact(tx => noteColleague(deps, tx, caller))
      known.add(caller.id)
    }
    if (requestId !== undefined) await withinBudget(deps, caller, requestId)
  }
}

async function withinBudget(deps: OpenCaseDeps, caller: Caller, requestId: string): Promise<void> {
  const now = deps.clock.now()
  const budget = isOfficer(caller) ? deps.viewingBudgets.officers : deps.viewingBudgets.others
  if (await countOpening(deps, deps.read, caller, requestId, { now, budget })) return
  deps.onBudgetSpent()
  const day = dayIn(now, deps.timeZone)
  await deps.transact(async tx => {
    if (!(await firstAlarmOf(tx, caller.id, day))) return
    await deps.record(tx, OVERSIGHT, toActor(caller), 'viewing_budget_spent', { budget })
    await deps.tellOfficerOfViews(tx, caller.id, day, budget)
  })
  throw new Problem(
    'too_many_requests',
    `You have opened ${budget} different cases in 24 hours, which is all that anybody needs. The privacy officer has been told.`,
    { retryAfter: 3600 },
  )
}
