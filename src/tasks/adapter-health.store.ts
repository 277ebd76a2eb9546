import type { Tx } from '../platform/database.ts'
import { STRIKES } from './breaker.store.ts'

/** How an adapter does, and whether it will be done with what it owes in time. */
export interface AdapterHealth {
  id: string
  name: string
  title: string
  owner: string | null
  state: string
  /** `open`: left in peace after outages in a row; `half_open`: tried with one call at a time. */
  breaker: 'closed' | 'open' | 'half_open'
  restingUntil: Date | null
  /** Tasks it still has to answer. */
  backlog: number
  oldestDueAt: Date | null
  /** Answers in the last hour, or, where those are few, on average in one of the last 24. */
  answersPerHour: number
  /** Between asking and the whole answer, over the same hours; null without answers. */
  medianMs: number | null
  p95Ms: number | null
  /** When the backlog is worked off at this rate; null without backlog, or where nothing tells. */
  doneAt: Date | null
  /** Tasks that will be answered after they are due, if all goes on like this: the earliest due first, none in between. */
  late: number
}

/** Fewer answers than these in an hour say little of how fast it is. */
const FEW = 10
/** Whoever has answered nothing for a day will answer late what is due within this many hours. */
const SILENT_HOURS = 72

/** In the words of the partial indexes, so that what was done long ago is not read: `task_claimable`, `task_waiting` and `task_stuck`. */
const IS_TO_BE_ANSWERED = `(state IN ('ready', 'accepted', 'running') OR state = 'waiting')`
const IS_STUCK = `state IN ('failed', 'quarantined')`

/** How many tasks of the fleet are not over, by state. */
export function countOpenTasks(tx: Tx): Promise<{ label: string; count: number }[]> {
  return tx.query(`SELECT state AS label, count(*) FROM task WHERE ${IS_TO_BE_ANSWERED} OR ${IS_STUCK} GROUP BY 1`)
}

/** @param id all that are asked, without it */
export async function healthOf(tx: Tx, now: Date, id?: string): Promise<AdapterHealth[]> {
  const adapters = await tx.query<Omit<AdapterHealth, 'doneAt'>[]>(
    `SELECT a.id, a.name, a.title, a.owner, a.state, a.resting_until AS "restingUntil", done.median AS "medianMs", done.p95 AS "p95Ms",
       CASE WHEN a.strikes < ${STRIKES} THEN 'closed' WHEN a.resting_until > now() THEN 'open' ELSE 'half_open' END AS breaker,
       speed.rate AS "answersPerHour", owed.backlog, owed.oldest AS "oldestDueAt", owed.late
     FROM adapter a
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE finished_at > $1::timestamptz - interval '1 hour') AS hour, count(*) AS day,
         round(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000))::int AS median,
         round(percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000))::int AS p95
       FROM task WHERE adapter_id = a.id AND state = 'done' AND asked AND finished_at > $1::timestamptz - interval '24 hours' AND finished_at <= $1::timestamptz) done
     CROSS JOIN LATERAL (
       SELECT least(CASE WHEN done.hour >= ${FEW} THEN done.hour ELSE done.day / 24.0 END, a.per_minute * 60.0)::float AS rate) speed
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS backlog, min(due_at) AS oldest, count(*) FILTER (WHERE due_at < $1::timestamptz OR CASE WHEN speed.rate > 0 AND a.state = 'live'
           THEN $1::timestamptz + make_interval(secs => nth * 3600 / speed.rate) > due_at
           ELSE (a.strikes >= ${STRIKES} OR a.state <> 'live') AND due_at < $1::timestamptz + interval '${SILENT_HOURS} hours' END)::int AS late
       FROM (SELECT due_at, row_number() OVER (ORDER BY due_at, ahead, id) AS nth FROM task
             WHERE adapter_id = a.id AND asked AND ${IS_TO_BE_ANSWERED}) open_tasks) owed
     WHERE a.state <> 'removed' AND ($2::uuid IS NULL AND a.live_since IS NOT NULL OR a.id = $2) ORDER BY a.name`,
    [now, id ?? null],
  )
  return adapters.map(({ restingUntil, ...adapter }) => {
    const { backlog, answersPerHour, breaker } = adapter
    const isTelling = backlog > 0 && answersPerHour > 0
    const doneAt = isTelling ? new Date(now.getTime() + (backlog / answersPerHour) * 3_600_000) : null
    return { ...adapter, restingUntil: breaker === 'closed' ? null : restingUntil, doneAt }
  })
}
