import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { splitsOff } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps } from './apply-event.ts'
import { type DetailsDeps, detailsOf } from './details.ts'
import { contactPointsOf, copyIdentities, freezeContactPoints, type IdentityDeps, identitiesOf } from './identities.store.ts'
import { reserve } from './reserved.store.ts'
import { type TakeInDeps, takeIn } from './take-in.ts'

export interface SplitDeps extends TakeInDeps, CaseDeps, Omit<DetailsDeps, 'vault'>, Omit<IdentityDeps, 'vault'> {}

const BY = system('policy')

/**
 * Makes a request of its own of what nobody may weigh in an objection to several uses: direct marketing ends at once (Art. 21(3)), whatever
 * becomes of the rest. It is of the same day, about the same person, and as well proven as the one it comes from; what was said there stays
 * there. Done again, nothing happens.
 * @returns the id of the new request, in `assessing`
 */
export async function splitObjection(deps: SplitDeps, tx: Tx, request: DsarRequest): Promise<string | undefined> {
  const { id, right, country, region, locale, timeZone, receivedAt, scope, assurance } = request
  if (!splitsOff(right, await detailsOf(deps, tx, id))) return undefined
  const part = await takeIn(
    deps,
    tx,
    {
      right,
      subject: { ...(country && { country }), ...(region && { region }), locale, timeZone },
      relationship: 'self',
      receivedAt,
      channel: 'system',
      scope,
      details: { purposes: ['marketing'] },
      assuranceNeeded: 0,
      parentId: id,
    },
    { kind: 'system', id: request.openedBy, by: BY }, // whoever asked follows it
  )
  await copyIdentities(deps, tx, id, part.id)
  await freezeContactPoints(deps, tx, part.id, await contactPointsOf(deps, tx, id))
  await reserve(deps, tx, part.id, await identitiesOf(deps, tx, part.id), BY)
  await deps.record(tx, requestStream(id), BY, 'marketing_split_off', { request: part.id })
  await applyEvent(deps, tx, part.id, 'identification_started', BY)
  await applyEvent(deps, tx, part.id, 'identity_confirmed', BY, { assurance, shownFor: id })
  return part.id
}
