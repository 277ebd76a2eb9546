import { system } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import { isRepresentative } from '../domain/representation.ts'
import { awaitsProof, type DsarRequest } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { applyFreeze } from '../requests/freeze.ts'
import { identitiesOf } from '../requests/identities.store.ts'
import { lacksPower, powerOf } from '../requests/power.ts'
import type { Purpose } from './challenges.store.ts'
import { codesFor, owedOf, shownByPerson } from './owed.ts'
import { resolutionOf } from './resolution.ts'
import { type ChallengeDeps, sendChallenge } from './send-challenge.ts'

export interface WeighDeps extends CaseDeps, ChallengeDeps {
  transact: Transact
  /** To the first address of the person themself, whoever acts for them. */
  writeToOwn(tx: Tx, request: DsarRequest, letter: LoginNeeded): Promise<void>
  /** At every address of theirs. */
  tellOfRepresentative(tx: Tx, request: DsarRequest, name: string): Promise<void>
}

interface LoginNeeded {
  kind: 'login-needed'
  occasion: string
  values: { right: Right; why: 'code' | 'freeze'; secondFactor: boolean }
}

const BY = system('verification')
const SECOND_FACTOR_LEVEL = 3

/**
 * Weighs what is known about who asks: once those who know people have answered, after every proof, and whenever more is needed than
 * was. Goes on when the person is known well enough, else sends a code to an address on file, else leaves the case to the staff.
 */
export async function weighIdentity(deps: WeighDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await applyFreeze(deps, tx, requestId)
    if (request.state === 'verifying') await weigh(deps, tx, request)
    else if (request.closedAt === null && request.state !== 'received') await weighAnew(deps, tx, request)
  })
}

async function weigh(deps: WeighDeps, tx: Tx, request: DsarRequest): Promise<void> {
  if (request.flags.includes('on_hold')) return
  const requestId = request.id
  const { unasked, unanswered } = await resolutionOf(tx, requestId)
  if (unasked) await deps.enqueue(tx, 'ask-who', { requestId })
  if (unasked || unanswered) return

  const known = (await identitiesOf(deps, tx, requestId)).some(({ provenance }) => provenance !== 'named')
  const owed = await owedOf(deps, tx, request)
  await setFlag(deps, tx, requestId, 'mandate_needed', owed.power, BY)
  if (owed.power) return
  const codes = codesFor(owed)
  if (known && codes.length === 0) return confirm(deps, tx, request)
  // What they have shown does not reach: another code would not either.
  if (known && owed.person && (await shownByPerson(tx, requestId)) > 0) await askForLogin(deps, tx, request)
  let reached = known
  for (const purpose of codes)
    if (known || purpose === 'requester') reached = (await sendOnce(deps, tx, requestId, purpose)) && reached
  if (!reached) await setFlag(deps, tx, requestId, 'not_identified', true, BY)
}

/** Lets the request go on. A person who need not be asked whether somebody acts for them is told of it, at every address of theirs. */
async function confirm(deps: WeighDeps, tx: Tx, request: DsarRequest): Promise<void> {
  await setFlag(deps, tx, request.id, 'not_identified', false, BY)
  await applyEvent(deps, tx, request.id, 'identity_confirmed', BY, { assurance: request.assurance })
  const power = isRepresentative(request.relationship) ? await powerOf(deps, tx, request) : undefined
  if (power?.voice === 'told') await deps.tellOfRepresentative(tx, request, power.requester.name)
}

/** The same for a request that was proven before; with enough proof it goes on with what had to wait. */
async function weighAnew(deps: WeighDeps, tx: Tx, request: DsarRequest): Promise<void> {
  const { id: requestId, state, assurance } = request
  if (await lacksPower(deps, tx, request)) return setFlag(deps, tx, requestId, 'mandate_needed', true, BY)
  if (awaitsProof(request)) {
    if (assurance > 0) await askForLogin(deps, tx, request)
    else await sendOnce(deps, tx, requestId, 'identity')
    return
  }
  await setFlag(deps, tx, requestId, 'contact_changed', false, BY)
  if (state === 'delivering') await deps.enqueue(tx, 'hand-over', { requestId })
  if (state === 'cooling_off') await deps.enqueue(tx, 'end-cooling-off', {})
  if (state === 'fulfilling') await deps.enqueue(tx, 'dispatch-tasks', {})
}

async function askForLogin(deps: WeighDeps, tx: Tx, request: DsarRequest): Promise<void> {
  const { right, assuranceNeeded, assuranceUnfrozen } = request
  const why = assuranceUnfrozen === null ? 'code' : 'freeze'
  await deps.writeToOwn(tx, request, {
    kind: 'login-needed',
    occasion: `${why}-${assuranceNeeded}`,
    values: { right, why, secondFactor: assuranceNeeded >= SECOND_FACTOR_LEVEL },
  })
}

/** The first code goes out by itself, if need be an hour later, when the mailbox can have one again; further ones are asked for. */
async function sendOnce(deps: WeighDeps, tx: Tx, requestId: string, purpose: Purpose): Promise<boolean> {
  const before = await tx.query<unknown[]>(
    'SELECT 1 FROM challenge WHERE request_id = $1 AND purpose = $2 AND revoked_at IS NULL',
    [requestId, purpose],
  )
  if (before.length > 0) return true
  try {
    return await sendChallenge(deps, tx, await lockRequest(tx, requestId), purpose)
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'too_many_requests')) throw error
    await deps.enqueue(tx, 'weigh-identity', { requestId }, { afterSeconds: error.retryAfter ?? 3600 })
    return true
  }
}
