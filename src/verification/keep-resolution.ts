import type { Answer } from '../adapters/answer.ts'
import { requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import { parseEmailAddress } from '../domain/email-address.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, renewVersion, setFlag } from '../requests/apply-event.ts'
import {
  addIdentities,
  type ContactPoint,
  freezeContactPoints,
  type Identity,
  type IdentityDeps,
  identitiesOf,
  identityIndex,
} from '../requests/identities.store.ts'
import { reserve } from '../requests/reserved.store.ts'

export type Resolution = Extract<Answer, { kind: 'resolved' }>

/**
 * Takes in what somebody who knows people said of who this is. When they hold the person back, or mean somebody else than those
 * who answered before, nothing of it is taken and the case goes to the staff: whoever names one person's number and another's
 * address must not become both.
 */
export async function keepResolution(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  requestId: string,
  by: Actor,
  resolution: Resolution,
): Promise<void> {
  const theirs = vouchedFor(resolution)
  const finding = resolution.status === 'match' ? await objectionTo(deps, tx, requestId, theirs) : resolution.status
  if (finding) {
    await deps.record(tx, requestStream(requestId), by, 'person_held_back', { finding })
    await setFlag(deps, tx, requestId, 'on_hold', true, by)
    return
  }
  await addIdentities(deps, tx, requestId, theirs, 'resolved')
  await reserve(deps, tx, requestId, theirs, by)
  await freezeContactPoints(deps, tx, requestId, addressesOf(resolution, by.id))
  await renewVersion(tx, requestId)
}

/** What the answer stands up for: an address that the person never confirmed may be anybody's. */
function vouchedFor({ matched, identities, contactPoints }: Resolution): Identity[] {
  const unconfirmed = new Set(contactPoints.filter(({ verified }) => !verified).map(({ value }) => value.toLowerCase()))
  return [...matched, ...identities]
    .filter(({ type, value }) => type !== 'email' || !unconfirmed.has(value.toLowerCase()))
    .map(({ type, value }) => ({ type, value }))
}

async function objectionTo(deps: IdentityDeps, tx: Tx, requestId: string, theirs: Identity[]): Promise<string | undefined> {
  if (theirs.length === 0) return 'unconfirmed_address'
  const established = (await identitiesOf(deps, tx, requestId)).filter(({ provenance }) => provenance !== 'named')
  const shown = established.filter(({ provenance }) => provenance !== 'resolved')
  const meet = (known: readonly Identity[], found: readonly Identity[]) => {
    const indexes = new Set(known.map(identity => identityIndex(deps, identity).toString('hex')))
    return known.length === 0 || found.length === 0 || found.some(one => indexes.has(identityIndex(deps, one).toString('hex')))
  }
  return meet(established, theirs) && meet(accountsAmong(shown), accountsAmong(theirs)) ? undefined : 'different_people'
}

/**
 * An address that leads to another account than the one that somebody logged in to joins nothing: however strongly they did, of the other
 * account they have shown no more than an address, and addresses are given to others in time. Whoever shows an address alone, by a
 * code, gets what is filed under it, by whatever numbers.
 */
const accountsAmong = (identities: readonly Identity[]) => identities.filter(({ type }) => type === 'user_id')

/** Addresses that a letter can go to: confirmed, and one plain address each. */
export function addressesOf({ contactPoints }: Resolution, source: string): ContactPoint[] {
  return contactPoints.flatMap(({ type, value, verified, since: text }) => {
    const address = type === 'email' && verified ? parseEmailAddress(value) : undefined
    if (address === undefined) return []
    const since = new Date(text)
    return [{ type: 'email' as const, value: address, source, ...(Number.isFinite(since.getTime()) && { since }) }]
  })
}
