import type { Caller, SupportAgentCaller } from '../auth/caller.ts'
import { RESERVED } from '../domain/lifecycle.ts'
import { Problem } from '../domain/problem.ts'
import { isRepresentative, REPRESENTATIVES } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { isOfficer } from './contents.ts'
import { type IdentityDeps, identityIndexes } from './identities.store.ts'
import * as requests from './requests.store.ts'

/**
 * The condition under which a caller sees a request, over `r` (dsar_request), with its parameters from `$first` on. Staff see
 * every case but their own, and one that is reserved as officers; a service what it opened, a person what they opened and what was
 * established to be about them. A request that merely names a person is not shown to them: naming proves nothing. Nor does it show to
 * whoever speaks of somebody else at the portal what becomes known of that person.
 */
export function visibility(deps: IdentityDeps, caller: Caller, first: number): { sql: string; parameters: unknown[] } {
  if (caller.kind === 'support_agent') return staffVisibility(deps, caller, first)
  if (caller.kind === 'service') return { sql: `(${opened(first)})`, parameters: [caller.id] }
  if (caller.kind === 'portal') {
    // As an array, so that both halves are looked up: beside OR, an EXISTS would be asked of every request there is.
    const sql = `((${opened(first)} AND r.relationship = 'self') OR r.id = ANY(ARRAY(SELECT i.request_id FROM request_identity i
      WHERE i.value_index = ANY($${first + 1}) AND i.provenance IN ('resolved', 'token'))))`
    return { sql, parameters: [caller.id, identityIndexes(deps, { type: 'user_id', value: caller.subject })] }
  }
  return { sql: 'false', parameters: [] }
}

/** Whoever works here asks for their own data at the portal, and follows their case there. */
function staffVisibility(deps: IdentityDeps, caller: SupportAgentCaller, first: number) {
  const notTheirOwn = `NOT EXISTS (SELECT FROM request_identity i WHERE i.request_id = r.id AND i.value_index = ANY($${first}))`
  const notReserved = isOfficer(caller) ? '' : ` AND NOT r.flags && '{${RESERVED.join(',')}}'`
  return { sql: notTheirOwn + notReserved, parameters: [identityIndexes(deps, { type: 'user_id', value: caller.subject })] }
}

const opened = (place: number) => openedBy(`$${place}`)

/** The condition under which a service sees a request, over `r`. */
export const openedBy = (service: string) => `r.opened_by = ${service} AND r.relationship <> 'reporter'`

/** The same for a list: whoever acts for somebody at the portal finds there what they asked for them, of which they see less (`seenBy`). */
export function listing(deps: IdentityDeps, caller: Caller, first: number): { sql: string; parameters: unknown[] } {
  const { sql, parameters } = visibility(deps, caller, first)
  if (caller.kind !== 'portal') return { sql, parameters }
  const forAnother = `${opened(first)} AND r.relationship = ANY($${first + parameters.length})`
  return { sql: `(${sql} OR ${forAnother})`, parameters: [...parameters, REPRESENTATIVES] }
}

/** As whom a caller sees a request: who speaks of another person sees where it stands, or not even that. */
export type SeenAs = 'party' | 'representative' | 'reporter'

/** A request this caller may see, or one that they made about somebody else: of that they see less, and nothing below it. */
export async function visibleAs(
  deps: IdentityDeps,
  tx: Tx,
  id: string,
  caller: Caller,
): Promise<{ request: DsarRequest; as: SeenAs }> {
  const request = await requests.get(tx, id)
  const as = request ? await seenBy(deps, tx, request, caller) : 'party'
  if (request && as !== 'party') return { request, as }
  return { request: await visibleRequest(deps, tx, id, caller), as: 'party' }
}

/** As whom a caller sees a request that they may see. */
export async function seenBy(deps: IdentityDeps, tx: Tx, request: DsarRequest, caller: Caller): Promise<SeenAs> {
  const as = request.openedBy === caller.id ? seenAs(request, caller) : 'party'
  return as !== 'party' && (await isDataSubject(deps, tx, request.id, caller)) ? 'party' : as
}

/** As whom they see it who opened it. */
export function seenAs({ relationship }: Pick<DsarRequest, 'relationship'>, { kind }: Caller): SeenAs {
  if (relationship === 'reporter' && kind !== 'anonymous') return 'reporter'
  return isRepresentative(relationship) && kind === 'portal' ? 'representative' : 'party'
}

/** A request this caller may see. @throws Problem `not_found`, the same for what is not there and for what is not theirs. */
export async function visibleRequest(deps: IdentityDeps, tx: Tx, id: string, caller: Caller): Promise<DsarRequest> {
  const { sql, parameters } = visibility(deps, caller, 2)
  const [row] = await tx.query<{ id: string }[]>(`SELECT r.id FROM dsar_request r WHERE r.id = $1 AND ${sql}`, [
    id,
    ...parameters,
  ])
  const request = row && (await requests.get(tx, id))
  if (!request) throw new Problem('not_found')
  return request
}

/** Whether the caller is the data subject of the request, established and not only claimed. */
export async function isDataSubject(deps: IdentityDeps, tx: Tx, requestId: string, caller: Caller): Promise<boolean> {
  if (caller.kind !== 'portal') return false
  const indexes = identityIndexes(deps, { type: 'user_id', value: caller.subject })
  const found = await tx.query<unknown[]>(
    `SELECT 1 FROM request_identity WHERE request_id = $1 AND value_index = ANY($2) AND provenance IN ('resolved', 'token')`,
    [requestId, indexes],
  )
  return found.length > 0
}
