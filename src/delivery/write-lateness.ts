import type { Day } from '../domain/day.ts'
import type { Tx } from '../platform/database.ts'
import type { AdapterHealth } from '../tasks/adapter-health.store.ts'
import { writeLetter } from './outbox.ts'
import type { LetterDeps } from './write-letters.ts'

/** Tells the privacy officer, and whoever owns it, of an adapter that will answer too late, once a day each. */
export async function tellOfLateness(
  deps: LetterDeps,
  tx: Tx,
  { id, title, backlog, late, doneAt, answersPerHour, owner }: AdapterHealth,
  today: Day,
): Promise<void> {
  for (const recipient of new Set([deps.officer, owner ?? deps.officer]))
    await writeLetter(deps, tx, {
      kind: 'adapter-late',
      requestId: null,
      recipient,
      locale: 'en',
      dedupe: `adapter-late|${id}|${today}|${recipient === deps.officer ? 'officer' : 'owner'}`,
      values: {
        reference: `adapters ${today}`,
        officer: deps.officer,
        adapter: title,
        owner,
        backlog,
        late,
        perHour: Math.round(answersPerHour),
        doneOn: doneAt === null ? null : (doneAt.toISOString().slice(0, 10) as Day),
      },
    })
}
