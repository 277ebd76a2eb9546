import type { AuditEvent } from '../audit/events.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { LIVE_STATES, type Task, tasksOf } from '../tasks/tasks.store.ts'
import { endRound, type RoundKind } from './later-rounds.store.ts'
import { keepLeftovers, noteErased } from './leftovers.store.ts'
import { concludeRestore } from './restores.store.ts'

export interface ConcludeRoundDeps extends CaseDeps {
  transact: Transact
  /** Tells the privacy officer which adapters hold data again, or cannot be asked whether they do. */
  tellErasureUndone(tx: Tx, request: DsarRequest, round: number, adapters: readonly string[]): Promise<void>
}

const BY = system('fulfilment')

const CONFIRMED = {
  rescan: 'erasure_confirmed_again',
  leftovers: 'leftovers_erased',
  replay: 'erasure_confirmed_again',
} as const satisfies Record<RoundKind, AuditEvent>

/**
 * Writes down what later rounds came to, once none of their tasks is under way: on the record, and to the privacy officer when
 * data came back, once each. A round that people mended is written down once more.
 */
export async function concludeRound(deps: ConcludeRoundDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    const rounds = await tx.query<{ round: number }[]>(
      'SELECT round FROM later_round WHERE request_id = $1 AND started_at IS NOT NULL ORDER BY round',
      [requestId],
    )
    const tasks = await tasksOf(tx, requestId)
    for (const { round } of rounds)
      await concludeOne(
        deps,
        tx,
        request,
        round,
        tasks.filter(task => task.round === round),
      )
  })
}

async function concludeOne(
  deps: ConcludeRoundDeps,
  tx: Tx,
  request: DsarRequest,
  round: number,
  tasks: readonly Task[],
): Promise<void> {
  if (tasks.some(({ state }) => LIVE_STATES.includes(state))) return
  const { id } = request
  const now = deps.clock.now()
  const open = [...new Set(tasks.filter(({ state }) => state !== 'done').map(({ adapter }) => adapter))]
  const ended = await endRound(tx, id, round, open.length, now)
  if (!ended) return
  if (open.length > 0) {
    await deps.record(tx, requestStream(id), BY, 'erasure_not_confirmed', { round, adapters: open })
    await setFlag(deps, tx, id, 'unconfirmed_erasure', true, BY)
    await deps.tellErasureUndone(tx, request, round, open)
  } else {
    await noteErased(tx, id, round, now)
    await keepLeftovers(tx, id, tasks)
    await deps.record(tx, requestStream(id), BY, CONFIRMED[ended.kind], { round })
  }
  if (ended.restoreId) await concludeRestore(deps, tx, ended.restoreId)
}
