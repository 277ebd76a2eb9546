import { randomUUIDv7 } from 'node:crypto'
import { requestStream } from '../audit/record.ts'
import { type Assertion, assertionProof, loginProof } from '../auth/assurance.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { computeClocks, deadlines } from '../domain/clocks.ts'
import type { Day } from '../domain/day.ts'
import type { Details } from '../domain/details.ts'
import { Problem } from '../domain/problem.ts'
import { ASSURANCE_NEEDED, type DsarRequest, type Relationship } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import { type Tx, write } from '../platform/database.ts'
import { CATEGORIES, type Policy } from '../policy/policy.ts'
import { applyEvent, type CaseDeps } from './apply-event.ts'
import { type DetailsDeps, sealDetails } from './details.ts'
import {
  addIdentities,
  freezeContactPoints,
  type Identity,
  type IdentityDeps,
  identityIndex,
  identityIndexes,
  type Provenance,
} from './identities.store.ts'
import { checkPlace, countryOf } from './place.ts'
import { recordProof } from './record-proof.ts'
import * as requests from './requests.store.ts'

export interface OpenRequest {
  right: Right
  subject: { identities?: Identity[]; name?: string; country?: string; region?: string; locale?: string; timeZone?: string }
  relationship: Relationship
  receivedAt?: Date
  channel?: string
  reference?: string
  scope: { categories?: string[] }
  details: Details
  assurance?: Assertion
}

export interface OpenDeps extends CaseDeps, Omit<IdentityDeps, 'vault'> {
  vault: IdentityDeps['vault'] & DetailsDeps['vault']
  policy: Pick<Policy, 'version' | 'categories' | 'purposes'>
  /** Time zone of the controller; the earlier of its day and the person's counts. */
  timeZone: string
  holidays: Readonly<Record<string, readonly Day[]>>
  /** A wrapped key for everything that will be collected. */
  newDataKey(requestId: string): Buffer
}

const DAY_MS = 86_400_000

/**
 * Takes in a request. Its clock runs from the day it reached the controller, not from the day it was typed in here.
 * @throws Problem `unprocessable` where a date, an identity or the evidence cannot be taken; `already_exists` for a repetition.
 */
export async function openRequest(deps: OpenDeps, tx: Tx, input: OpenRequest, caller: Caller): Promise<DsarRequest> {
  const now = deps.clock.now()
  const receivedAt = receiptOf(input, caller, now)
  const identities = identitiesFrom(input, caller)
  checkPlace(input.subject, '/subject')
  refuseUnknownCategories(deps, input)
  await refuseRepetition(deps, tx, input.right, identities, caller)

  const id = randomUUIDv7()
  const request = newRequest(deps, id, input, caller, receivedAt, now)
  const sealed = (column: string, value: string | undefined) =>
    value === undefined ? null : deps.vault.seal(value, `dsar_request|${column}|${id}`)
  await requests.insert(tx, {
    ...request,
    referenceSealed: sealed('reference_sealed', input.reference),
    referenceIndex: input.reference === undefined ? null : deps.vault.blindIndex('reference', input.reference),
    nameSealed: sealed('name_sealed', input.subject.name),
    detailsSealed: sealDetails(deps, id, input.details),
  })
  await write(tx, 'INSERT INTO request_key (request_id, wrapped) VALUES ($1, $2)', [id, deps.newDataKey(id)])
  await addIdentities(deps, tx, id, identities, provenanceOf(deps, input, caller))
  if (caller.kind === 'portal')
    await freezeContactPoints(
      deps,
      tx,
      id,
      caller.contactPoints.map(point => ({ ...point, source: 'portal' })),
    )
  const by = toActor(caller)
  await deps.record(tx, requestStream(id), by, 'opened', {
    right: input.right,
    channel: request.channel,
    receivedAt: receivedAt.toISOString(),
    dueOn: request.dueOn,
    legalDueOn: request.legalDueOn,
    policyVersion: request.policyVersion,
  })
  const proof = input.assurance ? assertionProof(deps.clock, caller, input.assurance) : loginProof(deps.clock, caller)
  if (proof) await recordProof(deps, tx, id, proof, by, input.assurance ? { assertedMethod: input.assurance.method } : {})
  return applyEvent(deps, tx, id, 'identification_started', by)
}

function newRequest(deps: OpenDeps, id: string, input: OpenRequest, caller: Caller, receivedAt: Date, now: Date): DsarRequest {
  const { region, country = region && countryOf(region), locale, timeZone = deps.timeZone } = input.subject
  const clocks = computeClocks({
    receivedAt,
    timeZones: [timeZone, deps.timeZone],
    ...(country && { country }),
    ...(region && { region }),
    holidays: deps.holidays,
    ledger: [],
  })
  return {
    id,
    right: input.right,
    state: 'received',
    flags: [],
    version: 1,
    receivedAt,
    createdAt: now,
    ...deadlines(clocks),
    country: country ?? null,
    region: region ?? null,
    locale: locale ?? 'en',
    timeZone,
    channel: input.channel ?? CHANNEL[caller.kind],
    relationship: input.relationship,
    openedByKind: caller.kind === 'portal' ? 'data_subject' : caller.kind,
    openedBy: caller.id,
    scope: input.scope,
    assuranceNeeded: ASSURANCE_NEEDED[input.right],
    assurance: 0,
    policyVersion: deps.policy.version,
    completeness: null,
    coolsOffAt: null,
    parentId: input.details.lifts ?? null,
    closedAt: null,
  }
}

/** The portal's token and a service's assurance, where it is enough, establish who somebody is; all else is hearsay for now. */
function provenanceOf(deps: OpenDeps, input: OpenRequest, caller: Caller): Provenance {
  if (caller.kind === 'portal') return 'token'
  const vouched = input.assurance && assertionProof(deps.clock, caller, input.assurance).level >= ASSURANCE_NEEDED[input.right]
  return vouched ? 'asserted' : 'named'
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

/** The portal speaks for the person logged in and for nobody else; everybody else names whom they mean. */
function identitiesFrom(input: OpenRequest, caller: Caller): Identity[] {
  const named = input.subject.identities ?? []
  if (caller.kind !== 'portal') {
    if (named.length === 0) throw atIdentities('Name at least one identity of the data subject.')
    if (caller.kind === 'anonymous' && !named.some(({ type }) => type === 'email'))
      throw atIdentities('Name the e-mail address that is on file, so that we can write to it.')
    if (caller.kind === 'support_agent') refuseSelfService(input, named, caller.subject)
    return named
  }
  const own = [{ type: 'user_id', value: caller.subject }, ...caller.contactPoints]
  const foreign = named.find(
    one => !own.some(mine => mine.type === one.type && mine.value.toLowerCase() === one.value.toLowerCase()),
  )
  if (foreign) throw atIdentities('Leave this out: the portal asks for the person who is logged in, and for nobody else.')
  return own
}

const atIdentities = (detail: string) =>
  new Problem('unprocessable', undefined, { errors: [{ pointer: '/subject/identities', detail }] })

function refuseSelfService(input: OpenRequest, named: readonly Identity[], agent: string): void {
  if (named.some(({ type, value }) => type === 'user_id' && value === agent))
    throw new Problem('not_allowed', 'Support agents exercise their own rights through the portal.')
  if (!input.channel || !input.reference)
    throw new Problem('unprocessable', 'Acting for a user needs the evidence that they asked.', {
      errors: [
        {
          pointer: input.channel ? '/reference' : '/channel',
          detail: 'Say where the user asked: the channel, and the reference of the ticket or letter.',
        },
      ],
    })
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
 * answer finds it again. Callers without a name are told nothing, for the answer would tell them who else has asked. Those who
 * ask the same at the same time are taken one after the other.
 */
async function refuseRepetition(
  deps: OpenDeps,
  tx: Tx,
  right: Right,
  identities: readonly Identity[],
  caller: Caller,
): Promise<void> {
  if (caller.kind === 'anonymous') return
  const locks = identities.map(identity => `${right}|${identityIndex(deps, identity).toString('hex')}`).sort()
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended(one, 8)) FROM unnest($1::text[]) one', [locks])
  // As an array, so that it begins with the person: as a join, the planner may go through all that the caller ever opened.
  const [open] = await tx.query<{ id: string }[]>(
    `SELECT id FROM dsar_request WHERE id = ANY(ARRAY(SELECT request_id FROM request_identity WHERE value_index = ANY($1)))
     AND "right" = $2 AND closed_at IS NULL AND ($3 OR opened_by = $4) LIMIT 1`,
    [identities.flatMap(identity => identityIndexes(deps, identity)), right, caller.kind === 'support_agent', caller.id],
  )
  if (open) throw new Problem('already_exists', `Request ${open.id} for this right is still open for the same person.`)
}
