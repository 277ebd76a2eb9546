import { holdsSensitive } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { type Assertion, assertionProof, loginProof, type Proof } from '../auth/assurance.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import type { Details } from '../domain/details.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { DsarRequest, Relationship } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { levelNeeded } from '../policy/ladder.ts'
import { CATEGORIES, type Policy } from '../policy/policy.ts'
import { applyEvent, setFlag } from './apply-event.ts'
import { checkCorrections } from './check-corrections.ts'
import { restrictionToLift } from './check-lift.ts'
import { requesterFrom } from './check-requester.ts'
import { identitiesFrom } from './given-identities.ts'
import {
  addIdentities,
  copyIdentities,
  freezeContactPoints,
  type Identity,
  type IdentityDeps,
  identitiesOf,
  identityIndex,
  identityIndexes,
  type Provenance,
} from './identities.store.ts'
import { addMessage, sideOf } from './messages.store.ts'
import { checkPlace } from './place.ts'
import { recordProof } from './record-proof.ts'
import { addRequester } from './requester.store.ts'
import { reserve } from './reserved.store.ts'
import { type TakeInDeps, takeIn } from './take-in.ts'
import { visibility } from './visible-request.ts'

export interface OpenRequest {
  right: Right
  subject: { identities?: Identity[]; name?: string; country?: string; region?: string; locale?: string; timeZone?: string }
  relationship: Relationship
  /** Whoever acts for the person. */
  requester?: { name?: string; email?: string }
  receivedAt?: Date
  channel?: string
  reference?: string
  scope: { categories?: string[] }
  details: Details
  assurance?: Assertion
  /** What came with the call in another way than by its token. */
  shown?: Proof
}

export interface OpenDeps extends TakeInDeps, Omit<IdentityDeps, 'vault'> {
  policy: Pick<Policy, 'version' | 'categories' | 'purposes' | 'assurance'>
  /** To their own address, and without a word about the person they reported. */
  thankReporter(tx: Tx, request: DsarRequest, recipient: string): Promise<void>
}

const DAY_MS = 86_400_000

/**
 * Takes in a request. Its clock runs from the day it reached the controller, not from the day it was typed in here.
 * @throws Problem `unprocessable` where a date, an identity or the evidence cannot be taken; `already_exists` for a repetition.
 */
export async function openRequest(deps: OpenDeps, tx: Tx, input: OpenRequest, caller: Caller): Promise<DsarRequest> {
  const receivedAt = receiptOf(input, caller, deps.clock.now())
  const { details, relationship } = input
  refuseMisreport(input)
  const requester = requesterFrom(input, caller)
  checkPlace(input.subject, '/subject')
  refuseUnknownCategories(deps, input)
  if (details.corrections) await checkCorrections(tx, details.corrections)
  const lifted = details.lifts
    ? await restrictionToLift(deps, tx, details.lifts, input.subject.identities ?? [], caller)
    : undefined
  const identities = lifted ? [] : identitiesFrom(input, caller)
  if (!lifted) await refuseRepetition(deps, tx, input, identities, caller)

  const by = toActor(caller)
  const channel = input.channel ?? CHANNEL[caller.kind]
  const assuranceNeeded = lifted && caller.kind === 'support_agent' ? 0 : await levelFor(deps, tx, input)
  const { message, ...said } = details
  const request = await takeIn(
    deps,
    tx,
    { ...input, receivedAt, channel, assuranceNeeded, details: said, scope: lifted?.scope ?? input.scope },
    { kind: caller.kind === 'portal' ? 'data_subject' : caller.kind, id: caller.id, by },
  )
  const { id } = request
  if (lifted) await copyIdentities(deps, tx, lifted.id, id)
  else await addIdentities(deps, tx, id, identities, provenanceOf(deps, input, assuranceNeeded, caller))
  await reserve(deps, tx, id, lifted ? await identitiesOf(deps, tx, id) : identities, by)
  if (message) await addFirstMessage(deps, tx, id, message, caller)
  if (requester) {
    await addRequester(deps, tx, id, requester)
    await setFlag(deps, tx, id, 'mandate_needed', true, by)
  } else if (relationship === 'self') await noteWhatIsShown(deps, tx, request, input, caller)
  else if (caller.kind === 'portal' && caller.contactPoints[0])
    await deps.thankReporter(tx, request, caller.contactPoints[0].value)
  return applyEvent(deps, tx, id, 'identification_started', by)
}

/** What came with the request itself is on the record like every message after it. */
async function addFirstMessage(deps: OpenDeps, tx: Tx, requestId: string, text: string, caller: Caller): Promise<void> {
  const from = sideOf(caller)
  const { id: message, sha256 } = await addMessage(deps, tx, requestId, { from, text })
  await deps.record(tx, requestStream(requestId), toActor(caller), 'message_written', { message, side: from, sha256 })
}

/** How well the person has to be known for this request, by the policy: better where sensitive data are in its scope. */
async function levelFor({ policy: { assurance } }: OpenDeps, tx: Tx, { right, scope }: OpenRequest): Promise<number> {
  const [usual, most] = [false, true].map(sensitive => levelNeeded(assurance, right, { sensitive })) as [number, number]
  return usual < most && (await holdsSensitive(tx, scope.categories)) ? most : usual
}

/** Addresses and proofs that come with the call itself. A reporter's would be somebody else's. */
async function noteWhatIsShown(
  deps: OpenDeps,
  tx: Tx,
  { id, right }: DsarRequest,
  { assurance: assertion, shown }: OpenRequest,
  caller: Caller,
): Promise<void> {
  if (caller.kind === 'portal')
    await freezeContactPoints(
      deps,
      tx,
      id,
      caller.contactPoints.map(point => ({ ...point, source: 'portal' })),
    )
  const proof = shown ?? (assertion ? assertionProof(deps, caller, assertion) : loginProof(deps, right, caller))
  if (proof) await recordProof(deps, tx, id, proof, toActor(caller), assertion ? { assertedMethod: assertion.method } : {})
}

/** Whoever reports a child speaks of somebody else, of a whole account, and shows nothing; every other right is the person's own. */
function refuseMisreport({ right, relationship, scope, assurance }: OpenRequest): void {
  const isReport = right === 'under_age_report'
  const errors: Fault[] = []
  if (isReport !== (relationship === 'reporter'))
    errors.push({
      pointer: '/requester/relationship',
      detail: `A request for ${right} is ${isReport ? 'made by a reporter' : 'the person’s own, or made for them'}.`,
    })
  if (isReport && scope.categories) errors.push({ pointer: '/scope/categories', detail: 'A report is about a whole account.' })
  if (isReport && assurance) errors.push({ pointer: '/assurance', detail: 'Whoever reports somebody proves nothing about them.' })
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}

/** The portal's token and a service's assurance, where it is enough, establish who somebody is; all else is hearsay for now. */
function provenanceOf(
  deps: OpenDeps,
  { relationship, assurance, shown }: OpenRequest,
  needed: number,
  caller: Caller,
): Provenance {
  if (relationship !== 'self') return 'named'
  if (caller.kind === 'portal') return 'token'
  const proof = shown ?? (assurance && assertionProof(deps, caller, assurance))
  return proof && proof.level >= needed ? 'asserted' : 'named'
}

const CHANNEL: Record<Caller['kind'], string> = {
  portal: 'portal',
  service: 'service',
  support_agent: 'support',
  anonymous: 'web',
}

/** Only those who keep a record of letters and tickets may say that a request came earlier, and must say where that is written. */
function receiptOf(input: OpenRequest, caller: Caller, now: Date): Date {
  const { receivedAt, reference } = input
  if (!receivedAt) return now
  const wrong = (detail: string) => new Problem('unprocessable', undefined, { errors: [{ pointer: '/receivedAt', detail }] })
  if (caller.kind === 'portal' || caller.kind === 'anonymous')
    throw wrong('Only services and support agents can give the time of receipt.')
  if (receivedAt.getTime() > now.getTime() + 60_000) throw wrong('It lies in the future.')
  if (now.getTime() - receivedAt.getTime() > 366 * DAY_MS) throw wrong('It lies more than a year back; check the date.')
  if (now.getTime() - receivedAt.getTime() > DAY_MS && !reference)
    throw wrong('A receipt more than a day ago needs a `reference` to the letter, mail or ticket that shows it.')
  return receivedAt
}

function refuseUnknownCategories({ policy }: OpenDeps, { scope }: OpenRequest): void {
  const known = new Set<string>(CATEGORIES.filter(category => category in policy.categories))
  const errors = (scope.categories ?? []).flatMap((category, i) =>
    known.has(category)
      ? []
      : [{ pointer: `/scope/categories/${i}`, detail: 'The privacy policy knows no such category of data.' }],
  )
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}

/**
 * A caller who asks the same for the same person while that is still open is told of the open one: a client that lost its
 * answer finds it again. Callers without a name and reporters are told nothing, for the answer would tell them who else has asked, or which
 * identities are one person's, and neither are staff of a case that is not for their eyes. Those who
 * ask the same at the same time are taken one after the other. To end a restriction is not the same as to ask for one.
 */
async function refuseRepetition(
  deps: OpenDeps,
  tx: Tx,
  { right, shown }: OpenRequest,
  identities: readonly Identity[],
  caller: Caller,
): Promise<void> {
  if ((caller.kind === 'anonymous' && !shown) || (right === 'under_age_report' && caller.kind !== 'support_agent')) return
  const locks = identities.map(identity => `${right}|${identityIndex(deps, identity).toString('hex')}`).sort()
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended(one, 8)) FROM unnest($1::text[]) one', [locks])
  const visible = visibility(deps, caller, 6)
  // As an array, so that it begins with the person: as a join, the planner may go through all that the caller ever opened.
  const [open] = await tx.query<{ id: string }[]>(
    `SELECT id FROM dsar_request r WHERE id = ANY(ARRAY(SELECT request_id FROM request_identity WHERE value_index = ANY($1)))
     AND "right" = $2 AND parent_id IS NULL AND closed_at IS NULL AND ($3 OR opened_by = $4 OR $5 AND ${visible.sql}) LIMIT 1`,
    [
      identities.flatMap(identity => identityIndexes(deps, identity)),
      right,
      shown !== undefined,
      caller.id,
      caller.kind === 'support_agent',
      ...visible.parameters,
    ],
  )
  if (open) throw new Problem('already_exists', `Request ${open.id} for this right is still open for the same person.`)
}
