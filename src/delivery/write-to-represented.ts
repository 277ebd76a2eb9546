import { isRepresentative, type MandateRefusal } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { asAddressee, ownContactsOf } from '../requests/addressee.ts'
import { powerOf } from '../requests/power.ts'
import { requesterOf } from '../requests/requester.store.ts'
import type { Purpose } from '../verification/challenges.store.ts'
import type { Recipient } from '../verification/send-challenge.ts'
import type { NewLetter } from './outbox.ts'
import { type LetterDeps, which, writeTo } from './write-letters.ts'
import { writeWithMeans } from './write-with-means.ts'

/** The letter with a code. Where somebody acts for the person, it says who and what for: that is what the person confirms with it. */
export async function writeCodeLetter(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  letter: { challengeId: string; code: string; minutes: number; recipient: Recipient; purpose: Purpose },
): Promise<void> {
  const { challengeId, code, minutes, recipient, purpose } = letter
  const write = (one: NewLetter) => writeWithMeans(deps, tx, one, recipient.contact)
  const { id, right, locale, relationship } = request
  const common = { requestId: id, recipient: recipient.address, locale, dedupe: `code|${challengeId}` }
  const values = { reference: id, officer: deps.officer, code, minutes }
  if (purpose !== 'identity') return write({ ...common, kind: `${purpose}-code`, values })
  if (!isRepresentative(relationship)) return write({ ...common, kind: 'identity-code', values: { ...values, right } })
  const power = await powerOf(deps, tx, request)
  if (!power) throw new Error(`Nobody may act in request ${id}, so nobody is to be confirmed.`)
  const said = { right, relationship, representative: power.requester.name, mayBeAllowed: power.mayBeAllowed }
  await write({ ...common, kind: 'representative-code', values: { ...values, ...said } })
}

/** To every address of a person who is not asked: a power that is false comes to light where it reaches whom it is about. */
export async function tellOfRepresentative(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  representative: string,
): Promise<void> {
  const { right, relationship } = request
  if (!isRepresentative(relationship) || relationship === 'authorized_agent') return
  for (const contact of await ownContactsOf(deps, tx, request))
    await writeTo(
      ...([deps, tx, request, { kind: 'represented', values: { right, relationship, representative } }] as const),
      asAddressee(contact),
      [which(deps, contact.value)],
    )
}

/** To whoever acts for the person, and nothing about the person. The address is the one they gave, which nobody has shown to be theirs. */
export async function tellOfRefusedMandate(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  mandate: string,
  reason: MandateRefusal,
): Promise<void> {
  const requester = await requesterOf(deps, tx, request.id)
  const letter = { kind: 'mandate-refused', occasion: mandate, values: { reason } } as const
  if (requester) await writeTo(deps, tx, request, letter, { address: requester.email, actsForAnother: false }, [])
}
