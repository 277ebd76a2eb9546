import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { type AlarmLevel, alarmsOwed } from '../domain/alarms.ts'
import { addDays, type Day, dayIn, earliest, latest } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from './apply-event.ts'
import { isExtended } from './clock-ledger.store.ts'
import { lastDayOf } from './clocks-of.ts'

/** Tells the privacy officer of a deadline and how near it is, in the caller's transaction. */
export type TellOfficer = (tx: Tx, request: DsarRequest, level: AlarmLevel, dueOn: Day) => Promise<void>

export interface WatchDeps extends CaseDeps {
  transact: Transact
  read: Tx
  tellOfficer: TellOfficer
  /** Of the controller. */
  timeZone: string
  onAlarm(level: AlarmLevel): void
}

const BY = system('deadline-watch')

/** For whoever is asked late, because their letter was found late. */
const DAYS_TO_PROVE = 14

/**
 * Raises every alarm that is owed on every open request, each exactly once: the row is the memory, so neither a restart nor
 * a clock that jumps raises one again, and one that was missed is raised late rather than never. What the person did not
 * prove by the promised day lapses. A request that cannot be looked at keeps no other from being looked at.
 */
export async function watchDeadlines(deps: WatchDeps): Promise<void> {
  const now = deps.clock.now()
  await eachInTurn(dueSoon(deps.read, now), async id => {
    const raised = await deps.transact(tx => watchOne(deps, tx, id, now))
    for (const level of raised) deps.onAlarm(level)
  })
}

/** Every open request that has an alarm before long, with two days to spare for the farthest time zones. */
async function* dueSoon(read: Tx, now: Date): AsyncGenerator<string> {
  const horizon = new Date(now.getTime() + 12 * 86_400_000).toISOString().slice(0, 10)
  let after = ['0001-01-01', '00000000-0000-0000-0000-000000000000']
  while (true) {
    const page = await read.query<{ id: string; dueOn: string }[]>(
      `SELECT id, due_on AS "dueOn" FROM dsar_request
       WHERE closed_at IS NULL AND least(due_on, legal_due_on) <= $1 AND (due_on, id) > ($2, $3) ORDER BY due_on, id LIMIT 200`,
      [horizon, ...after],
    )
    yield* page.map(({ id }) => id)
    const last = page.at(-1)
    if (!last) return
    after = [last.dueOn, last.id]
  }
}

async function watchOne(deps: WatchDeps, tx: Tx, id: string, now: Date): Promise<AlarmLevel[]> {
  const request = await lockRequest(tx, id)
  if (request.closedAt) return []
  const todays = [dayIn(now, request.timeZone), dayIn(now, deps.timeZone)]
  const today = latest(todays) // where it is later already, so that nothing is raised late for anybody
  const lastDay = lastDayOf(request, await isExtended(tx, id))
  const raised = await tx.query<{ level: AlarmLevel }[]>(
    'SELECT level FROM deadline_alarm WHERE request_id = $1 AND due_on = $2',
    [id, lastDay],
  )
  const owed = alarmsOwed(
    lastDay,
    today,
    raised.map(row => row.level),
  ).map(({ level }) => level)
  for (const level of owed) {
    await tx.query('INSERT INTO deadline_alarm (request_id, due_on, level, raised_at) VALUES ($1, $2, $3, $4)', [
      id,
      lastDay,
      level,
      now,
    ])
    await deps.record(tx, requestStream(id), BY, 'deadline_alarm', { level, dueOn: lastDay })
    await setFlag(deps, tx, id, 'late_risk', true, BY)
    await deps.tellOfficer(tx, request, level, lastDay)
  }
  if (today > lastDay) await setFlag(deps, tx, id, 'overdue', true, BY)
  // Their last day is over only where it ends last.
  const lapsesAfter = latest([lastDay, addDays(dayIn(request.createdAt, request.timeZone), DAYS_TO_PROVE)])
  if (earliest(todays) > lapsesAfter && (await awaitsProof(tx, request)))
    await applyEvent(deps, tx, id, 'verification_lapsed', BY)
  return owed
}

/**
 * Whether it was for the person to act. Who proved enough, and who was never asked because an adapter, a job or the staff
 * did not get to it, has let nothing lapse: that request stays open, and overdue.
 */
async function awaitsProof(tx: Tx, { id, state, assurance, assuranceNeeded, flags }: DsarRequest): Promise<boolean> {
  if (state !== 'verifying' || assurance >= assuranceNeeded) return false
  if (flags.includes('on_hold') || flags.includes('failed_job')) return false
  const [asking] = await tx.query<unknown[]>(
    `SELECT 1 FROM task WHERE request_id = $1 AND action = 'resolve' AND state NOT IN ('done', 'cancelled') LIMIT 1`,
    [id],
  )
  return asking === undefined
}
