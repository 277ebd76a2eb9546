import { ALARM_LEVELS } from '../domain/alarms.ts'
import { addDays, dayIn } from '../domain/day.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { countUnheard } from '../webhooks/webhooks.store.ts'
import type { DigestList } from './letters/letters.ts'
import { type OutboxDeps, writeLetter } from './outbox.ts'

export interface DigestDeps extends OutboxDeps {
  transact: Transact
  officer: string
  /** Of the controller. */
  timeZone: string
}

/** So many of a list are named; of the others the digest tells the number. */
const NAMED = 50

/**
 * Tells the privacy officer once a day what is open, by reference alone. The day is the letter's key, so that it goes out once
 * however many workers the clock wakes; and it goes out when nothing is open, for a digest that stays away is an alarm.
 */
export async function sendDigest(deps: DigestDeps): Promise<void> {
  const { officer, clock, timeZone } = deps
  const date = dayIn(clock.now(), timeZone)
  await deps.transact(async tx => {
    const { total } = await openOnes(tx, 'true')
    const values = {
      reference: `digest ${date}`,
      officer,
      date,
      open: total,
      overdue: await openOnes(tx, 'due < $1', date),
      dueSoon: await openOnes(tx, 'due BETWEEN $1 AND $2', date, addDays(date, ALARM_LEVELS.in_10_days)),
      needsDecision: await openOnes(tx, `'needs_decision' = ANY (flags)`),
      opened: await those(tx, OPENED, new Date(clock.now().getTime() - DAY_MS).toISOString()),
      unheard: await countUnheard(tx),
      untold: await those(tx, UNTOLD, new Date(clock.now().getTime() - UNTOLD_MS).toISOString()),
    }
    const dedupe = `digest|${date}`
    await writeLetter(deps, tx, { kind: 'daily-digest', requestId: null, recipient: officer, locale: 'en', dedupe, values })
  })
}

const DAY_MS = 86_400_000
/** Contents of which were opened to somebody of the staff since the digest of yesterday. */
const OPENED = 'EXISTS (SELECT FROM break_glass g WHERE g.request_id = dsar_request.id AND g.approved_at > $1::timestamptz)'

/** Recipients of data that were changed have to be told (Art. 19). So long nobody is reminded of it. */
const UNTOLD_MS = 14 * 86_400_000
const UNTOLD = `EXISTS (SELECT FROM recipient_notice n WHERE n.request_id = dsar_request.id AND n.state IN ('queued', 'failed') AND n.action <> 'transmit'
  AND n.changed_at <= $1::timestamptz)`

const openOnes = (tx: Tx, condition: string, ...values: string[]): Promise<DigestList> =>
  those(tx, `closed_at IS NULL AND ${condition}`, ...values)

/** Requests of which a condition is true, the most urgent first. `due` is the earlier of the promised and the legal day, or that day after an extension. */
async function those(tx: Tx, condition: string, ...values: string[]): Promise<DigestList> {
  const found = await tx.query<(DigestList['first'][number] & { total: number })[]>(
    `SELECT id AS reference, "right", due AS "dueOn", flags, count(*) OVER () AS total
     FROM dsar_request CROSS JOIN LATERAL (SELECT CASE WHEN ${EXTENDED} THEN legal_due_on ELSE least(due_on, legal_due_on) END AS due) AS days
     WHERE ${condition} ORDER BY due, id LIMIT ${NAMED}`,
    values,
  )
  return { total: found[0]?.total ?? 0, first: found.map(({ total: _, ...line }) => line) }
}

/** Whether the person was told that it takes longer: then the promise was kept by that. */
const EXTENDED = `EXISTS (SELECT FROM clock_entry e WHERE e.request_id = dsar_request.id AND e.kind = 'extension')`
