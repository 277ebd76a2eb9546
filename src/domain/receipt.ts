import { type Day, dayIn, earliest } from './day.ts'
import type { Step } from './ledger.ts'
import { Problem } from './problem.ts'
import { GDPR_APPLIES_FROM } from './regulation.ts'

/**
 * The day of receipt: the earliest day that any of the time zones shows, the person's and the controller's, so that
 * no way of counting makes the answer late.
 * @throws Problem `invalid_request` without a zone, for one unknown, and for a day before the GDPR applied
 */
export function receiptOf(receivedAt: Date, timeZones: readonly string[]): { receivedOn: Day; step: Step } {
  if (timeZones.length === 0) throw new Problem('invalid_request', 'The day of receipt needs at least one time zone.')
  const shown = timeZones.map(zone => ({ zone, day: dayIn(receivedAt, zone) }))
  const receivedOn = earliest(shown.map(({ day }) => day))
  if (receivedOn < GDPR_APPLIES_FROM) {
    throw new Problem('invalid_request', `A request cannot have been received before ${GDPR_APPLIES_FROM}.`)
  }
  const days = [...new Set(shown.map(({ zone, day }) => `${day} in ${zone}`))]
  const text = `Received on ${days.join(' and ')}, read or not${days.length > 1 ? '; the earliest day counts' : ''}.`
  return { receivedOn, step: { on: receivedOn, rule: 'EDPB Guidelines 01/2022 §159', text } }
}
