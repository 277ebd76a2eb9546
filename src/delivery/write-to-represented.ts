import { isRepresentative, type MandateRefusal } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { ownContactsOf } from '../requests/addressee.ts'
import { powerOf } from '../requests/power.ts'
import { requesterOf } from '../requests/requester.store.ts'
import type { Purpose } from '../verification/challenges.store.ts'
import { writeLetter } from './outbox.ts'
import { type LetterDeps, which, writeTo } from './write-letters.ts'

/** The letter with a code. Where somebody acts for the person, it says who and what for: that is what the person confirms with it. */
export async function writeCodeLetter(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  letter: { challengeId: string; code: string; minutes: number; recipient: string; purpose: Purpose },
): Promise<void> {
  const { challengeId, code, minutes, recipient, purpose } = letter
  const { id, right, locale, relationship } = request
  const common = { requestId: id, recipient, locale, dedupe: `code|${challengeId}` }
  const values = { reference: id, officer: deps.officer, code, minutes }
  if (purpose !== 'identity') return writeLetter(deps, tx, { ...common, kind: `${purpose}-code`, values })
  if (!isRepresentative(relationship))
    return writeLetter(deps, tx, { ...common, kind: 'identity-code', values: { ...values, right } })
  const power = await powerOf(deps, tx, request)
  if (!power) throw new Error(`Nobody may act in request ${id}, so nobody is to be confirmed.`)
  const said = { right, relationship, representative: power.requester.name, mayBeAllowed: power.mayBeAllowed }
  await writeLetter(deps, tx, { ...common, kind: 'representative-code', values: { ...values, ...said } })
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
  for (const { value } of await ownContactsOf(deps, tx, request))
    await writeTo(
      ...([deps, tx, request, { kind: 'represented', values: { right, relationship, representative } }] as const),
      { address: value, actsForAnother: false },
      [which(deps, value)],
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
