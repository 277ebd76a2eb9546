import { ADAPTERS, type Recorder } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { type Day, dayIn } from '../domain/day.ts'
import type { Clock } from '../platform/clock.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type AdapterHealth, healthOf } from '../tasks/adapter-health.store.ts'

export interface WatchAdaptersDeps {
  read: Tx
  transact: Transact
  clock: Clock
  record: Recorder
  /** Of the controller. */
  timeZone: string
  tellOfLateness(tx: Tx, adapter: AdapterHealth, today: Day): Promise<void>
}

/**
 * Tells the privacy officer, and whoever owns it, of an adapter that will not have answered in time if all goes on like this: while
 * there is time to do something about it, once a day.
 */
export async function watchAdapters(deps: WatchAdaptersDeps): Promise<void> {
  const now = deps.clock.now()
  const today = dayIn(now, deps.timeZone)
  for (const adapter of (await healthOf(deps.read, now)).filter(({ late }) => late > 0))
    await deps.transact(async tx => {
      const [, first] = await tx.query<[unknown[], number]>(
        'UPDATE adapter SET late_alarm_on = $2 WHERE id = $1 AND (late_alarm_on IS NULL OR late_alarm_on < $2)',
        [adapter.id, today],
      )
      if (first === 0) return
      const { id: adapterId, name, backlog, late, answersPerHour } = adapter
      await deps.record(tx, ADAPTERS, system('adapter-watch'), 'lateness_expected', {
        adapterId,
        adapter: name,
        backlog,
        late,
        answersPerHour: Math.round(answersPerHour),
      })
      await deps.tellOfLateness(tx, adapter, today)
    })
}
