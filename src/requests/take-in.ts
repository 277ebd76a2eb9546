import { randomUUIDv7 } from 'node:crypto'
import { requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import { computeClocks, deadlines } from '../domain/clocks.ts'
import type { Day } from '../domain/day.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest, Relationship } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import { type Tx, write } from '../platform/database.ts'
import type { Policy } from '../policy/policy.ts'
import type { CaseDeps } from './apply-event.ts'
import { type DetailsDeps, sealDetails } from './details.ts'
import type { IdentityDeps } from './identities.store.ts'
import { countryOf } from './place.ts'
import * as requests from './requests.store.ts'

export interface TakeInDeps extends CaseDeps {
  vault: IdentityDeps['vault'] & DetailsDeps['vault']
  policy: Pick<Policy, 'version'>
  /** Time zone of the controller; the earlier of its day and the person's counts. */
  timeZone: string
  holidays: Readonly<Record<string, readonly Day[]>>
  /** A wrapped key for everything that will be collected. */
  newDataKey(requestId: string): Buffer
}

/** A request once everything in it was checked. */
export interface Checked {
  right: Right
  subject: { name?: string; country?: string; region?: string; locale?: string; timeZone?: string }
  relationship: Relationship
  receivedAt: Date
  channel: string
  reference?: string
  scope: { categories?: string[] }
  details: Details
  assuranceNeeded: number
  /** The request that this one was split off; one that lifts another names it in its details. */
  parentId?: string
}

export interface Opener {
  kind: DsarRequest['openedByKind']
  id: string
  by: Actor
}

/** Writes a request down, with its clocks, its key and its first entry on the record. It is about nobody yet. */
export async function takeIn(deps: TakeInDeps, tx: Tx, input: Checked, { kind, id: openedBy, by }: Opener): Promise<DsarRequest> {
  const id = randomUUIDv7()
  const request: DsarRequest = { ...newRequest(deps, id, input), openedByKind: kind, openedBy }
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
  await deps.record(tx, requestStream(id), by, 'opened', {
    right: input.right,
    channel: request.channel,
    receivedAt: request.receivedAt.toISOString(),
    dueOn: request.dueOn,
    legalDueOn: request.legalDueOn,
    policyVersion: request.policyVersion,
  })
  return request
}

function newRequest(deps: TakeInDeps, id: string, input: Checked): Omit<DsarRequest, 'openedByKind' | 'openedBy'> {
  const { receivedAt, channel, relationship, scope, assuranceNeeded, details, parentId = details.lifts ?? null } = input
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
    createdAt: deps.clock.now(),
    ...deadlines(clocks),
    country: country ?? null,
    region: region ?? null,
    locale: locale ?? 'en',
    timeZone,
    channel,
    relationship,
    scope,
    assuranceNeeded,
    assuranceUnfrozen: null,
    assurance: 0,
    policyVersion: deps.policy.version,
    completeness: null,
    coolsOffAt: null,
    parentId,
    closedAt: null,
  }
}
