import { requestStream } from '../audit/record.ts'
import { system } from '../domain/actor.ts'
import { isStoppable } from '../domain/lifecycle.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import type { Ladder } from '../policy/ladder.ts'
import { type CaseDeps, changeNeededAssurance, lockRequest, setFlag } from './apply-event.ts'
import { forgetFreezes, frozenRequests, insertFreeze, levelFrozen, openRequestsOf, repudiatedBefore } from './freezes.store.ts'
import { type IdentityDeps, identitiesOf } from './identities.store.ts'

export interface FreezeDeps extends CaseDeps, IdentityDeps {
  policy: { assurance: Ladder }
}

const BY = system('policy')
const DAY_MS = 86_400_000

/**
 * Freezes the person of a request: for some days what could harm them most waits for stronger proof. Under established identities
 * alone, for whoever merely names somebody is not to have them frozen; and nobody is locked out, because stronger proof passes at
 * once. Other open requests of theirs are weighed anew.
 */
export async function freezePerson(deps: FreezeDeps, tx: Tx, requestId: string): Promise<void> {
  const { days, level } = deps.policy.assurance.freeze
  const established = await establishedOf(deps, tx, requestId)
  const since = deps.clock.now()
  await insertFreeze(deps, tx, { requestId, level, since, until: new Date(since.getTime() + days * DAY_MS) }, established)
  for (const id of await openRequestsOf(deps, tx, established)) {
    await deps.enqueue(tx, 'weigh-identity', { requestId: id })
    await deps.enqueue(tx, 'hand-over', { requestId: id })
  }
}

/** A request as the freeze of its person has it by now: raised while there is one, lowered again when it is over. On the record. */
export async function applyFreeze(deps: FreezeDeps, tx: Tx, id: string): Promise<DsarRequest> {
  const request = await lockRequest(tx, id)
  const { right, state, relationship, assuranceNeeded, assuranceUnfrozen } = request
  const concerned =
    relationship !== 'reporter' && deps.policy.assurance.freeze.rights.includes(right) && isStoppable(state, right)
  if (!concerned) return request
  const level = await levelFrozen(deps, tx, await establishedOf(deps, tx, id), deps.clock.now())
  const usual = assuranceUnfrozen ?? assuranceNeeded
  const needed = Math.max(level ?? usual, usual)
  if (needed === assuranceNeeded) return request
  await changeNeededAssurance(tx, id, { assuranceNeeded: needed, assuranceUnfrozen: needed > usual ? usual : null })
  await deps.record(tx, requestStream(id), BY, needed > usual ? 'frozen' : 'thawed', { needed })
  await setFlag(deps, tx, id, 'frozen', needed > usual, BY)
  await deps.enqueue(tx, 'weigh-identity', { requestId: id })
  return lockRequest(tx, id)
}

const establishedOf = async (deps: IdentityDeps, tx: Tx, id: string) =>
  (await identitiesOf(deps, tx, id)).filter(({ provenance }) => provenance !== 'named')

/** Ends what is over: the freezes, what open requests needed because of them, and that the requests that led to them need eyes. */
export async function endFreezes(deps: FreezeDeps & { transact: Transact; read: Tx }): Promise<void> {
  await eachInTurn(await frozenRequests(deps.read), id => deps.transact(tx => applyFreeze(deps, tx, id)))
  const begun = new Date(deps.clock.now().getTime() - deps.policy.assurance.freeze.days * DAY_MS)
  await eachInTurn(await repudiatedBefore(deps.read, begun), id =>
    deps.transact(tx => setFlag(deps, tx, id, 'repudiated', false, BY)),
  )
  await forgetFreezes(deps.read, deps.clock.now())
}
