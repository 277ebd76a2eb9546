import { sameAddress } from '../domain/email-address.ts'
import { isRepresentative } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { contactPointsOf, type IdentityDeps, type KnownContact } from './identities.store.ts'
import { type PowerDeps, powerOf } from './power.ts'
import { requesterOf } from './requester.store.ts'

/** An address, and whether it is that of whoever acts for the person. */
export interface Addressee {
  address: string
  actsForAnother: boolean
  /** Number of the contact point, where it is one of the person's. */
  contact?: number
}

export const asAddressee = ({ value, n }: KnownContact): Addressee => ({ address: value, actsForAnother: false, contact: n })

/** The addresses of the data subject, the one to use first. One that whoever acts for them has as well is not theirs alone, and left out. */
export async function ownContactsOf(
  deps: IdentityDeps,
  tx: Tx,
  { id, relationship }: Pick<DsarRequest, 'id' | 'relationship'>,
): Promise<KnownContact[]> {
  const contacts = await contactPointsOf(deps, tx, id)
  const requester = isRepresentative(relationship) ? await requesterOf(deps, tx, id) : undefined
  return requester ? contacts.filter(({ value }) => !sameAddress(value, requester.email)) : contacts
}

/**
 * Whom everything is written to that a request comes to: letters, the link, the code that opens it. The data subject, unless the power
 * of whoever acts for them says otherwise; then nobody before that one has shown that the address is theirs, and the subject as long as
 * they have yet to confirm. Where nobody's power is in force, nobody.
 */
export async function addresseeOf(deps: PowerDeps, tx: Tx, request: DsarRequest): Promise<Addressee | undefined> {
  if (isRepresentative(request.relationship)) {
    const power = await powerOf(deps, tx, request)
    if (!power) return undefined
    if (power.to === 'requester' && (power.voice === 'told' || request.state !== 'verifying'))
      return power.requester.provenAt ? { address: power.requester.email, actsForAnother: true } : undefined
  }
  const [first] = await ownContactsOf(deps, tx, request)
  return first && asAddressee(first)
}

/** Everybody who has to hear of what cannot be undone: all addresses of the data subject, and who acts for them. */
export async function everybodyToTell(deps: PowerDeps, tx: Tx, request: DsarRequest): Promise<Addressee[]> {
  const own = (await ownContactsOf(deps, tx, request)).map(asAddressee)
  const addressee = await addresseeOf(deps, tx, request)
  return addressee?.actsForAnother ? [...own, addressee] : own
}
