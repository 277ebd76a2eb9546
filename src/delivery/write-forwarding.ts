import { dayIn } from '../domain/day.ts'
import type { NewForwarding } from '../domain/forwarding.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { writeLetter } from './outbox.ts'
import { type LetterDeps, writeLetterToSubject } from './write-letters.ts'

/** To the other controller, where to fetch what is for them, and nothing of the person; to the person, who has it now. */
export async function writeForwarding(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  { id, controller, contact, datasets, forwardedAt, dueOn }: NewForwarding,
  email: string,
): Promise<void> {
  await writeLetter(deps, tx, {
    kind: 'forwarding',
    requestId: request.id,
    recipient: email,
    locale: 'en',
    dedupe: `forwarding|${id}`,
    values: { reference: request.id, officer: deps.officer, forwarding: id, right: request.right, dueOn },
  })
  await writeLetterToSubject(deps, tx, request, {
    kind: 'forwarded',
    occasion: id,
    values: {
      controller,
      contact: contact.replace(/^mailto:/, ''),
      parts: datasets.map(({ title }) => title),
      forwardedOn: dayIn(forwardedAt, request.timeZone),
      dueOn,
    },
  })
}
