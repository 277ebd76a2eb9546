import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { deadlines } from '../domain/clocks.ts'
import { type Day, dayIn, latest } from '../domain/day.ts'
import type { ExtensionReason } from '../domain/delay.ts'
import { canExtend } from '../domain/extension.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, changeLegalDay, lockRequest, setFlag } from '../requests/apply-event.ts'
import { insertEntry, ledgerOf } from '../requests/clock-ledger.store.ts'
import { type ClocksDeps, clocksOf } from '../requests/clocks-of.ts'
import { requireReader, type WriteDecisionLetter } from '../requests/decision-letter.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'

export interface ExtendDeps extends CaseDeps, ClocksDeps, IdentityDeps {
  writeLetterToSubject: WriteDecisionLetter
}

export interface Extended {
  request: DsarRequest
  reason: ExtensionReason
  announcedOn: Day
}

/** Art. 12(3) is about Art. 15 to 22 as a whole, but these take effect when they are declared (Art. 7(3), 21(3)). */
const AT_ONCE: readonly string[] = ['marketing_opt_out', 'consent_withdrawal']

/**
 * Makes the time for the answer longer, and tells the person why, in one act: an extension that nobody was told of is none. Only
 * once, and only within the first month from receipt, wherever the day is later already. The promise stays where it was.
 * @throws Problem `illegal_transition`, `already_exists`, `out_of_time`, `unprocessable`
 */
export async function extendRequest(
  deps: ExtendDeps,
  tx: Tx,
  requestId: string,
  { reason, text }: { reason: ExtensionReason; text: string },
  caller: Caller,
): Promise<Extended> {
  const request = await lockRequest(tx, requestId)
  await refuseOwnCase(deps, tx, request, caller)
  if (request.closedAt) throw new Problem('illegal_transition', 'The request has ended.')
  const now = deps.clock.now()
  const on = latest([dayIn(now, request.timeZone), dayIn(now, deps.timeZone)])
  const { receivedOn, dueOn } = await longerUntil(deps, tx, request, on, reason)
  await requireReader(deps, tx, request)

  const by = toActor(caller)
  const entry = await insertEntry(deps, tx, requestId, { kind: 'extension', reason, text, on }, { id: by.id, at: now })
  const extended = await changeLegalDay(tx, requestId, dueOn)
  await deps.record(tx, requestStream(requestId), by, 'extended', { reason, announcedOn: on, legalDueOn: dueOn })
  await setFlag(deps, tx, requestId, 'late_risk', false, by)
  await setFlag(deps, tx, requestId, 'overdue', false, by)
  await deps.writeLetterToSubject(tx, extended, {
    kind: 'extension',
    occasion: entry,
    values: { reasonCode: reason, reasons: text, receivedOn, dueOn },
  })
  return { request: await lockRequest(tx, requestId), reason, announcedOn: on }
}

/** The day that the law allows once the extension has been announced. */
async function longerUntil(
  deps: ExtendDeps,
  tx: Tx,
  request: DsarRequest,
  on: Day,
  reason: ExtensionReason,
): Promise<{ receivedOn: Day; dueOn: Day }> {
  if (AT_ONCE.includes(request.right)) throw new Problem('unprocessable', 'This takes effect at once and cannot take longer.')
  const ledger = await ledgerOf(tx, request.id)
  const gdpr = clocksOf(deps, request, ledger).find(({ id }) => id === 'eu_gdpr')
  if (!gdpr) throw new Error(`Request ${request.id} is under no clock of the GDPR.`)
  if (gdpr.extendedDueOn) throw new Problem('already_exists', `It was extended to ${gdpr.extendedDueOn}, and it can be once.`)
  if (!canExtend(gdpr, on)) throw new Problem('out_of_time', `It had to be announced by ${gdpr.extensionNoticeBy}.`)
  const { legalDueOn } = deadlines(clocksOf(deps, request, [...ledger, { kind: 'extension', on, reason }]))
  if (legalDueOn <= request.legalDueOn)
    throw new Problem('unprocessable', `The law of the person’s place allows no more than ${request.legalDueOn}.`)
  return { receivedOn: gdpr.receivedOn, dueOn: legalDueOn }
}
