import { addDays, addMonths, type Day, endOfDay, parseDay } from '../domain/day.ts'
import { Problem } from '../domain/problem.ts'
import type { Right } from '../domain/rights.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'

/** What became of some requests. `received` = `answeredInTime` + `answeredLate` + `open` + `withdrawn` + `lapsed` + `cancelled`. */
export interface Figures {
  received: number
  /** Carried out or refused, on or before the day that this was due. */
  answeredInTime: number
  answeredLate: number
  open: number
  /** Of the open ones, those whose day is over. */
  overdue: number
  /** Of all, those that were given the longer period. */
  extended: number
  /** Of all, those that were refused, by the ground that was given. */
  refused: Record<string, number>
  /** Of all, those that somebody made for another person, by what they are to them. */
  represented: Record<string, number>
  withdrawn: number
  lapsed: number
  cancelled: number
  /** Days of 24 hours from receipt to the answer, to a thousandth; null where nothing was answered. */
  medianDays: number | null
  p95Days: number | null
}

export interface Report {
  from: Day
  to: Day
  /** `month` is that of receipt, as YYYY-MM. */
  months: (Figures & { month: string; right: Right })[]
  /** The whole period, because percentiles of months do not add up to one of a year. */
  rights: (Figures & { right: Right })[]
}

export interface ReportDeps {
  read: Tx
  clock: Clock
  /** Of the controller: its calendar says what a month is. */
  timeZone: string
}

const MOST_MONTHS = 120

/**
 * How the requests received from one day to another, both included, were dealt with. What was decided is taken from the record,
 * which nobody can change. @throws Problem `invalid_request` for days in the wrong order or more than ten years apart
 */
export async function report({ read, clock, timeZone }: ReportDeps, { from, to }: { from: Day; to: Day }): Promise<Report> {
  const firstDays = monthsOf(from, to)
  const starts = firstDays.map(day => startOf(day, timeZone))
  const rows = await read.query<Row[]>(FIGURES, [starts, startOf(addDays(to, 1), timeZone), clock.now(), timeZone])
  return {
    from,
    to,
    months: rows.flatMap(row => (row.bucket > 0 ? [{ month: monthOf(firstDays[row.bucket - 1]), ...figuresOf(row) }] : [])),
    rights: rows.filter(({ bucket }) => bucket === 0).map(figuresOf),
  }
}

/** As it comes from the database: `days` holds the two percentiles. */
type Row = Omit<Figures, 'medianDays' | 'p95Days'> & { right: Right; bucket: number; days: [number, number] | null }

const figuresOf = ({ bucket: _, days, ...figures }: Row) => ({
  ...figures,
  medianDays: days && rounded(days[0]),
  p95Days: days && rounded(days[1]),
})

/** To a thousandth of a day, a minute and a half. */
const rounded = (days: number): number => Math.round(days * 1000) / 1000

/** The first day of each month of the period; of the first month the day that the period begins with. */
function monthsOf(from: Day, to: Day): Day[] {
  if (from > to) throw new Problem('invalid_request', 'A period ends on the day it begins with, or later.')
  const first = parseDay(`${monthOf(from)}-01`)
  const days = [from]
  for (let next = addMonths(first, 1); next <= to; next = addMonths(first, days.length)) {
    if (days.length === MOST_MONTHS) throw new Problem('invalid_request', 'A report covers ten years at most.')
    days.push(next)
  }
  return days
}

const monthOf = (day = ''): string => day.slice(0, 7)

const startOf = (day: Day, timeZone: string): Date => new Date(endOfDay(addDays(day, -1), timeZone).getTime() + 1)

/** A zone that the database does not know is taken for the one ahead of all others: that never makes an answer look earlier. */
const dayIn = (zone: string) =>
  `(at AT TIME ZONE CASE WHEN lower(${zone}) IN (SELECT name FROM zone) THEN ${zone} ELSE 'Pacific/Kiritimati' END)::date`

/**
 * $1 starts of the months, $2 end of the last one, $3 now, $4 the controller's zone. Bucket 0 is all months together. A day is over
 * where it ends first, at the person's or at the controller's; the zones are looked at only where they can make a difference.
 */
const FIGURES = `
WITH zone AS MATERIALIZED (SELECT lower(name) AS name FROM pg_timezone_names),
request AS MATERIALIZED (
  SELECT id, "right", relationship, state, width_bucket(received_at, $1::timestamptz[]) AS bucket, extended.stream IS NOT NULL AS extended,
    closed_at IS NULL AS open, state IN ('completed', 'refused') AS answered, extract(epoch FROM closed_at - received_at)::float8 / 86400 AS days,
    CASE WHEN at + interval '14 hours' < midnight THEN false WHEN at - interval '12 hours' >= midnight THEN true
         ELSE greatest(${dayIn('time_zone')}, ${dayIn('$4')}) > due END AS late
  FROM dsar_request
    LEFT JOIN (SELECT DISTINCT stream FROM audit_entry WHERE event = 'extended') extended ON stream = 'request:' || id,
    LATERAL (SELECT CASE WHEN stream IS NULL THEN least(due_on, legal_due_on) ELSE legal_due_on END AS due, coalesce(closed_at, $3) AS at) judged,
    LATERAL (SELECT (due + 1)::timestamp AT TIME ZONE 'UTC' AS midnight) ending
  WHERE received_at >= ($1::timestamptz[])[1] AND received_at < $2
    AND (parent_id IS NULL OR opened_by_kind IN ('data_subject', 'service')) -- what we ask of ourselves, such as to lift a restriction, nobody sent us
),
figures AS (
  SELECT coalesce(bucket, 0) AS bucket, "right", count(*) AS received,
    count(*) FILTER (WHERE answered AND NOT late) AS "answeredInTime", count(*) FILTER (WHERE answered AND late) AS "answeredLate",
    count(*) FILTER (WHERE open) AS open, count(*) FILTER (WHERE open AND late) AS overdue, count(*) FILTER (WHERE extended) AS extended,
    count(*) FILTER (WHERE state = 'withdrawn') AS withdrawn, count(*) FILTER (WHERE state = 'lapsed') AS lapsed,
    count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY days) FILTER (WHERE answered) AS days
  FROM request GROUP BY GROUPING SETS ((bucket, "right"), ("right"))
),
grounds AS (
  SELECT coalesce(bucket, 0) AS bucket, "right", ground, count(DISTINCT id) AS count
  FROM request JOIN (SELECT stream, coalesce(facts->>'ground', 'not_stated') AS ground FROM audit_entry WHERE event IN ('refused', 'refused_partly')) refusal
    ON stream = 'request:' || id
  GROUP BY GROUPING SETS ((bucket, "right", ground), ("right", ground))
),
acting AS (
  SELECT coalesce(bucket, 0) AS bucket, "right", relationship, count(*) AS count FROM request WHERE relationship NOT IN ('self', 'reporter')
  GROUP BY GROUPING SETS ((bucket, "right", relationship), ("right", relationship))
)
SELECT figures.*, coalesce(refused, '{}') AS refused, coalesce(represented, '{}') AS represented
FROM figures LEFT JOIN (SELECT bucket, "right", jsonb_object_agg(ground, count ORDER BY ground) AS refused FROM grounds GROUP BY 1, 2) refusals
  USING (bucket, "right")
LEFT JOIN (SELECT bucket, "right", jsonb_object_agg(relationship, count ORDER BY relationship) AS represented FROM acting GROUP BY 1, 2) representations
  USING (bucket, "right")
ORDER BY bucket, "right"`
