import { adaptersIn } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { type Day, dayIn } from '../domain/day.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { type Task, tasksOf } from '../tasks/tasks.store.ts'
import { type Again, askAgain, ERASE_AND_LOOK } from './begin-round.ts'
import { beginRound, dueRounds, type LaterRound, ripenLeftovers } from './later-rounds.store.ts'
import { adapterRestored } from './restores.store.ts'

export interface LookDeps extends CaseDeps {
  transact: Transact
  read: Tx
  /** Of the controller. */
  timeZone: string
}

const BY = system('fulfilment')
/** So many rounds are begun, each in a transaction of its own, before the next are looked for. */
const BATCH = 500

/**
 * What answered erasures still owe: looks again, wherever anybody can, days later, whether the data stayed away (a backup may have been restored, an
 * import repeated), erases once more what a restore brought back, and erases what the law had kept once its day has come. Each is
 * begun once, however many workers look.
 */
export async function lookAgain(deps: LookDeps): Promise<void> {
  const now = deps.clock.now()
  const due = await dueRounds(deps.read, now, BATCH)
  const today = dayIn(now, deps.timeZone)
  const ripe = await deps.read.query<{ requestId: string }[]>(
    `SELECT DISTINCT l.request_id AS "requestId" FROM leftover l JOIN dsar_request r ON r.id = l.request_id
     WHERE l.round IS NULL AND l.until < $1 AND r.state = 'completed' LIMIT ${BATCH}`,
    [today],
  )
  if (due.length === BATCH || ripe.length === BATCH) await deps.enqueue(deps.read, 'look-again', {})
  await eachInTurn(
    [
      ...due.map(round => (tx: Tx) => startRound(deps, tx, round)),
      ...ripe.map(
        ({ requestId }) =>
          (tx: Tx) =>
            eraseLeftovers(deps, tx, requestId, today),
      ),
    ],
    start => deps.transact(start),
  )
}

async function startRound(deps: LookDeps, tx: Tx, due: Pick<LaterRound, 'requestId' | 'round'>): Promise<void> {
  await lockRequest(tx, due.requestId)
  const begun = await beginRound(tx, due, deps.clock.now())
  if (!begun) return
  const { requestId, round, restoreId } = begun
  const first = await tasksOf(tx, requestId, restoreId ? 'erase' : 'confirm_erased')
  const again = first.filter(({ asked, round: of }) => asked && of === 0).map(of => ({ of, datasets: of.config.datasets }))
  if (!restoreId) {
    const unable = (await adaptersIn(tx)).filter(({ manifest }) => !manifest.actions.includes('locate')).map(({ id }) => id)
    const searchable = again.filter(({ of }) => !unable.includes(of.adapterId))
    const adapters = await askAgain(deps, tx, begun, searchable)
    return deps.record(tx, requestStream(requestId), BY, 'looked_again', { round, adapters })
  }
  const restored = await adapterRestored(tx, restoreId)
  const theirs = again.filter(({ of }) => restored === null || of.adapterId === restored)
  const adapters = await askAgain(deps, tx, begun, theirs, ERASE_AND_LOOK)
  await deps.record(tx, requestStream(requestId), BY, 'erasure_replayed', { round, restore: restoreId, adapters })
}

async function eraseLeftovers(deps: LookDeps, tx: Tx, requestId: string, today: Day): Promise<void> {
  await lockRequest(tx, requestId)
  const due = await ripenLeftovers(tx, requestId, today, deps.clock.now())
  if (!due) return
  const { round, ripe } = due
  const isRipe = (task: Task, name: string) => ripe.some(one => one.adapterId === task.adapterId && one.dataset === name)
  const again = (await tasksOf(tx, requestId, 'erase')).flatMap((task): Again[] => {
    const datasets = task.round === 0 ? task.config.datasets.filter(({ name }) => isRipe(task, name)) : []
    return datasets.length > 0 ? [{ of: task, datasets }] : []
  })
  await askAgain(deps, tx, { requestId, round }, again, ERASE_AND_LOOK)
  await deps.record(tx, requestStream(requestId), BY, 'leftovers_due', { round, datasets: ripe.map(({ dataset }) => dataset) })
}
