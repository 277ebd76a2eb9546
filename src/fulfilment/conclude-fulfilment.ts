import { system } from '../domain/actor.ts'
import { isPackaged, type PackagedRight } from '../domain/rights.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest, noteCompleteness, setFlag } from '../requests/apply-event.ts'
import { type Task, tasksOf } from '../tasks/tasks.store.ts'
import { completenessOfCopy, FEWER } from './completeness.ts'
import { type ConcludeEffectsDeps, concludeEffects } from './conclude-effects.ts'

export interface ConcludeDeps extends ConcludeEffectsDeps {
  transact: Transact
}

const BY = system('fulfilment')

/** Closes the fan-out once every task has been answered, and says how whole the answer is. Until then nothing happens. */
export async function concludeFulfilment(deps: ConcludeDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    const tasks = (await tasksOf(tx, requestId)).filter(({ action, round }) => action !== 'resolve' && round === 0)
    if (request.state !== 'fulfilling' || tasks.some(({ state }) => state !== 'done')) return
    if (isPackaged(request.right)) await concludeCopy(deps, tx, request.id, request.right, tasks)
    else await concludeEffects(deps, tx, request, tasks)
  })
}

async function concludeCopy(deps: CaseDeps, tx: Tx, id: string, right: PackagedRight, tasks: readonly Task[]): Promise<void> {
  const completeness = completenessOfCopy(tasks, right)
  await noteCompleteness(tx, id, completeness)
  const isShort = completeness.missing.some(({ reason }) => reason === FEWER)
  await setFlag(deps, tx, id, 'count_mismatch', isShort, BY)
  await applyEvent(deps, tx, id, 'fulfilment_completed', BY, {
    complete: completeness.complete,
    adaptersAsked: completeness.adaptersAsked,
    adaptersAnswered: completeness.adaptersAnswered,
  })
}
