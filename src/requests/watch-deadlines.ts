import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { type AlarmLevel, alarmsOwed } from '../domain/alarms.ts'
import { dayIn, earliest } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from './apply-event.ts'

/** Tells the privacy officer of a deadline, in the caller's transaction. */
export type TellOfficer = (tx: Tx, request: DsarRequest, level: AlarmLevel) => Promise<void>

export interface WatchDeps extends CaseDeps {
  transact: Transact
  read: Tx
  tellOfficer: TellOfficer
  onAlarm(level: AlarmLevel): void
}

const BY = system('deadline-watch')

/**
 * Raises every alarm that is owed on every open request, each exactly once: the row is the memory, so neither a restart nor
 * a clock that jumps raises one again, and one that was missed is raised late rather than never. What nobody proved by the
 * promised day lapses.
 */
export async function watchDeadlines(deps: WatchDeps): Promise<void> {
  const now = deps.clock.now()
  const horizon = new Date(now.getTime() + 12 * 86_400_000).toISOString().slice(0, 10)
  let after = ['0001-01-01', '00000000-0000-0000-0000-000000000000']
  while (true) {
    const page = await deps.read.query<{ id: string; dueOn: string }[]>(
      `SELECT id, due_on AS "dueOn" FROM dsar_request
       WHERE closed_at IS NULL AND least(due_on, legal_due_on) <= $1 AND (due_on, id) > ($2, $3) ORDER BY due_on, id LIMIT 200`,
      [horizon, ...after],
    )
    for (const { id } of page) await deps.transact(tx => watchOne(deps, tx, id, now))
    const last = page.at(-1)
    if (!last) return
    after = [last.dueOn, last.id]
  }
}

async function watchOne(deps: WatchDeps, tx: Tx, id: string, now: Date): Promise<void> {
  const request = await lockRequest(tx, id)
  if (request.closedAt) return
  const today = dayIn(now, request.timeZone)
  const raised = await tx.query<{ level: AlarmLevel }[]>('SELECT level FROM deadline_alarm WHERE request_id = $1', [id])
  const lastDay = earliest([request.dueOn, request.legalDueOn])
  for (const { level } of alarmsOwed(
    lastDay,
    today,
    raised.map(row => row.level),
  )) {
    await tx.query('INSERT INTO deadline_alarm (request_id, level, raised_at) VALUES ($1, $2, $3)', [id, level, now])
    await deps.record(tx, requestStream(id), BY, 'deadline_alarm', { level, dueOn: lastDay })
    await setFlag(deps, tx, id, 'late_risk', true, BY)
    await deps.tellOfficer(tx, request, level)
    deps.onAlarm(level)
  }
  if (today <= lastDay) return
  await setFlag(deps, tx, id, 'overdue', true, BY)
  if (request.state === 'verifying') await applyEvent(deps, tx, id, 'verification_lapsed', BY)
}
