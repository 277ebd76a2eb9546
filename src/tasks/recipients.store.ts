import type { RecipientAnswer } from '../adapters/protocol.ts'
import type { Recorder } from '../audit/record.ts'
import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Policy } from '../policy/policy.ts'
import type { Task } from './tasks.store.ts'

export interface RecipientDeps {
  clock: Clock
  record: Recorder
  policy: Pick<Policy, 'recipients'>
}

export const NOTICE_STATES = ['queued', 'sent', 'acknowledged', 'failed', 'impossible', 'disproportionate'] as const
export type NoticeState = (typeof NOTICE_STATES)[number]

/**
 * Whom it has to be told that data were corrected, erased or restricted, and how far that has come (Art. 19); and to whom a copy is sent
 * directly (`transmit`, Art. 20(2)).
 */
export interface RecipientNotice {
  recipient: string
  action: string
  state: NoticeState
  /** A code, for what could not be done. */
  why: string | null
  changedAt: Date
}

/** Rights of which recipients have to be told (Art. 19). */
const TOLD_OF: Partial<Record<DsarRequest['right'], string>> = {
  rectification: 'rectify',
  erasure: 'erase',
  restriction: 'restrict',
  under_age_report: 'erase',
}

/**
 * Opens the list of everybody to whom the data went that were changed: the recipients of each dataset that its adapter names, and
 * those that the policy names for its category.
 */
export async function noteRecipients(deps: RecipientDeps, tx: Tx, request: DsarRequest, tasks: readonly Task[]): Promise<void> {
  const action = TOLD_OF[request.right]
  if (!action) return
  const recipients = new Set(tasks.filter(task => task.action === action).flatMap(task => recipientsOf(deps.policy, task)))
  if (recipients.size === 0) return
  await tx.query(
    `INSERT INTO recipient_notice (request_id, recipient, action, state, changed_at)
     SELECT $1, recipient, $3, 'queued', $4 FROM unnest($2::text[]) recipient ON CONFLICT DO NOTHING`,
    [request.id, [...recipients], action, deps.clock.now()],
  )
  await deps.record(tx, requestStream(request.id), system('fulfilment'), 'recipients_listed', {
    recipients: [...recipients].sort(),
  })
}

function recipientsOf({ recipients }: Pick<Policy, 'recipients'>, { answer, config }: Task): string[] {
  const touched = new Set((answer?.datasets ?? []).filter(({ outcome }) => outcome === 'completed').map(({ name }) => name))
  return config.datasets
    .filter(({ name }) => touched.has(name))
    .flatMap(dataset => [
      ...dataset.recipients,
      ...recipients.filter(({ receives }) => (receives as string[]).includes(dataset.category)).map(({ name }) => name),
    ])
}

/** An adapter's word stands over nothing and over a milder word: two adapters may have told the same recipient of different data. */
const GRAVITY = `array_position(ARRAY['queued', 'sent', 'acknowledged', 'impossible', 'failed', 'disproportionate'], `

/**
 * Takes in whom an adapter says it has told itself. Recipients that the policy does not name are on the record by their number
 * alone: what an adapter calls them may be anything.
 */
export async function noteTold(
  deps: RecipientDeps,
  tx: Tx,
  request: DsarRequest,
  { action, adapter }: Pick<Task, 'action' | 'adapter'>,
  told: readonly RecipientAnswer[],
): Promise<void> {
  if (told.length === 0 || TOLD_OF[request.right] !== action) return
  const named = new Set(deps.policy.recipients.map(({ name }) => name))
  const known = told.filter(({ name }) => named.has(name))
  await tx.query(
    `INSERT INTO recipient_notice AS n (request_id, recipient, action, state, why, changed_at)
     SELECT $1, name, $3, outcome, CASE WHEN outcome <> 'acknowledged' THEN 'said_by_adapter' END, $4
     FROM jsonb_to_recordset($2::jsonb) AS told(name text, outcome text)
     ON CONFLICT (request_id, recipient, action) DO UPDATE SET state = EXCLUDED.state, why = EXCLUDED.why, changed_at = EXCLUDED.changed_at
     WHERE ${GRAVITY} n.state) < ${GRAVITY} EXCLUDED.state)`,
    [request.id, JSON.stringify(known), action, deps.clock.now()],
  )
  await deps.record(tx, requestStream(request.id), { kind: 'adapter', id: adapter }, 'recipients_told', {
    recipients: known.map(({ name, outcome }) => `${name}: ${outcome}`),
    unknown: told.length - known.length,
  })
}

export async function noticesOf(read: Tx, requestId: string): Promise<RecipientNotice[]> {
  return read.query(
    `SELECT recipient, action, state, why, changed_at AS "changedAt" FROM recipient_notice WHERE request_id = $1 ORDER BY recipient, action`,
    [requestId],
  )
}

/** Notes how far the sending of a copy to another controller has come. It alone knows: nobody settles this by their word. */
export async function noteTransmission(tx: Tx, requestId: string, notice: Omit<RecipientNotice, 'action'>): Promise<void> {
  const { recipient, state, why, changedAt } = notice
  await tx.query(
    `INSERT INTO recipient_notice (request_id, recipient, action, state, why, changed_at) VALUES ($1, $2, 'transmit', $3, $4, $5)
     ON CONFLICT (request_id, recipient, action) DO UPDATE SET state = EXCLUDED.state, why = EXCLUDED.why, changed_at = EXCLUDED.changed_at`,
    [requestId, recipient, state, why, changedAt],
  )
}

/** False when there is no recipient of this request who has to be told. */
export async function settleNotice(
  tx: Tx,
  requestId: string,
  { recipient, state, why, at }: { recipient: string; state: NoticeState; why: string | null; at: Date },
): Promise<boolean> {
  const [, changed] = await tx.query<[unknown[], number]>(
    "UPDATE recipient_notice SET state = $3, why = $4, changed_at = $5 WHERE request_id = $1 AND recipient = $2 AND action <> 'transmit'",
    [requestId, recipient, state, why, at],
  )
  return changed > 0
}
