import { dayIn } from '../domain/day.ts'
import type { Forwarding, ForwardingAlarm } from '../domain/forwarding.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { writeLetter } from './outbox.ts'
import type { LetterDeps } from './write-letters.ts'

/** Reminds the other controller, and tells the privacy officer whether somebody was reminded: once for each alarm. */
export async function writeForwardingAlarm(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  { id, controller, forwardedAt, dueOn }: Forwarding,
  alarm: ForwardingAlarm,
  email: string | undefined,
): Promise<void> {
  const said = { reference: request.id, officer: deps.officer, forwarding: id, alarm, dueOn }
  const common = { requestId: request.id, locale: 'en' }
  if (email) {
    const values = { ...said, forwardedOn: dayIn(forwardedAt, request.timeZone) }
    const dedupe = `forwarding-reminder|${id}|${alarm}`
    await writeLetter(deps, tx, { ...common, kind: 'forwarding-reminder', recipient: email, dedupe, values })
  }
  await writeLetter(deps, tx, {
    ...common,
    kind: 'forwarding-alarm',
    recipient: deps.officer,
    dedupe: `forwarding-alarm|${id}|${alarm}`,
    values: { ...said, controller, reminded: email !== undefined },
  })
}
