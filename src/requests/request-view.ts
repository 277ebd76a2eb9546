import { type Static, Type } from 'typebox'
import type { Caller } from '../auth/caller.ts'
import { FLAGS, type Flag, RESERVED, STATES } from '../domain/lifecycle.ts'
import { type DsarRequest, RELATIONSHIPS } from '../domain/request.ts'
import { RIGHTS, type Right } from '../domain/rights.ts'
import { WITHHOLDING_REASONS } from '../domain/withheld.ts'
import { isOfficer } from './contents.ts'
import type { Identity, Provenance } from './identities.store.ts'
import { linksOf, selfOf } from './links.ts'
import type { SeenAs } from './visible-request.ts'

export const RightSchema = Type.Enum(Object.keys(RIGHTS) as Right[])
export const Instant = Type.String({ format: 'date-time' })
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

const ID = '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4'

/** What a request looks like, for the reader of the API. */
export const REQUEST_EXAMPLE = {
  id: ID,
  type: 'access',
  state: 'fulfilling',
  flags: [],
  subject: { identities: [{ type: 'email', value: 'a…@e….org' }], country: 'DE', region: null, locale: 'en' },
  requester: { relationship: 'self' },
  channel: 'support_ticket',
  scope: {},
  receivedAt: '2026-11-20T03:42:00.000Z',
  dueOn: '2026-12-20',
  legalDueOn: '2026-12-20',
  assurance: { needed: 1, reached: 1 },
  policyVersion: '2025-01-18',
  completeness: null,
  coolsOffAt: null,
  createdAt: '2026-11-20T09:12:00.000Z',
  closedAt: null,
  links: { self: `/v1/requests/${ID}`, timeline: `/v1/requests/${ID}/timeline`, clocks: `/v1/requests/${ID}/clocks` },
}

export const RequestView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    type: RightSchema,
    state: Type.Enum(STATES),
    flags: Type.Array(Type.Enum([...FLAGS]), { description: 'What needs somebody’s eyes; shown to staff.' }),
    subject: Type.Object({
      identities: Type.Array(Type.Object({ type: Type.String(), value: Type.String({ description: 'Masked.' }) })),
      country: Nullable(Type.String()),
      region: Nullable(Type.String()),
      locale: Type.String(),
    }),
    requester: Type.Object({ relationship: Type.Enum([...RELATIONSHIPS]) }),
    channel: Type.String(),
    scope: Type.Object({ categories: Type.Optional(Type.Array(Type.String())) }),
    receivedAt: Instant,
    dueOn: Type.String({ format: 'date', description: 'The last day of the promise made to everybody.' }),
    legalDueOn: Type.String({ format: 'date', description: 'The last day that the law in force allows, as it stands.' }),
    assurance: Type.Object({
      needed: Type.Integer(),
      reached: Type.Integer({
        description: '0 none, 1 control of a contact point on file, 2 fresh login, 3 with a second factor.',
      }),
    }),
    policyVersion: Type.String(),
    completeness: Nullable(
      Type.Object({
        complete: Type.Boolean(),
        adaptersAsked: Type.Integer(),
        adaptersAnswered: Type.Integer(),
        settledByHand: Type.Optional(
          Type.Integer({ description: 'Adapters for which people said what was done, because they gave no answer.' }),
        ),
        missing: Type.Array(
          Type.Object({
            adapter: Type.String(),
            dataset: Type.String(),
            outcome: Type.String(),
            reason: Nullable(Type.String()),
          }),
        ),
        withheld: Type.Optional(
          Type.Array(
            Type.Object({
              adapter: Type.String(),
              dataset: Type.String(),
              field: Type.Optional(Type.String({ description: 'Where it is missing, the whole dataset was withheld.' })),
              records: Type.Integer(),
              rule: Type.String({ description: 'The rule of the privacy policy.' }),
              reason: Type.Enum([...WITHHOLDING_REASONS]),
              article: Type.String(),
            }),
            { description: 'What was left out for the sake of others; only where something was.' },
          ),
        ),
      }),
    ),
    coolsOffAt: {
      ...Nullable(Instant),
      description: 'Until then it can be withdrawn; then it is carried out. Only for what cools off.',
    },
    createdAt: Instant,
    closedAt: Nullable(Instant),
    links: Type.Record(Type.String(), Type.String(), { description: 'All that its reader can get of it now, by name.' }),
  },
  { title: 'Request', description: 'A request as its reader may see it.', examples: [REQUEST_EXAMPLE] },
)
export type RequestView = Static<typeof RequestView>

type KnownIdentity = Identity & { provenance: Provenance }

/** Whether it is established that the request is about the caller, as `isDataSubject` asks the database. */
const isAbout = (identities: readonly KnownIdentity[], caller: Caller): boolean =>
  caller.kind === 'portal' &&
  identities.some(
    ({ type, value, provenance }) =>
      type === 'user_id' && value === caller.subject && (provenance === 'resolved' || provenance === 'token'),
  )

/** Whoever has just opened a case that is not for their eyes is not told so. */
function flagsFor({ flags }: DsarRequest, caller: Caller): Flag[] {
  if (caller.kind !== 'support_agent') return []
  return isOfficer(caller) ? flags : flags.filter(flag => !(RESERVED as readonly Flag[]).includes(flag))
}

/** A request as its readers see it: identities masked, and what is for staff kept from others. */
export function viewRequest(request: DsarRequest, identities: readonly KnownIdentity[], caller: Caller): RequestView {
  return {
    id: request.id,
    type: request.right,
    state: request.state,
    flags: flagsFor(request, caller),
    subject: {
      identities: identities.map(({ type, value }) => ({ type, value: masked(type, value) })),
      country: request.country,
      region: request.region,
      locale: request.locale,
    },
    requester: { relationship: request.relationship },
    channel: request.channel,
    scope: request.scope,
    receivedAt: request.receivedAt.toISOString(),
    dueOn: request.dueOn,
    legalDueOn: request.legalDueOn,
    assurance: { needed: request.assuranceNeeded, reached: request.assurance },
    policyVersion: request.policyVersion,
    completeness: request.completeness,
    coolsOffAt: request.coolsOffAt?.toISOString() ?? null,
    createdAt: request.createdAt.toISOString(),
    closedAt: request.closedAt?.toISOString() ?? null,
    links: linksOf(request, isAbout(identities, caller), caller),
  }
}

/** What came with the request, however those who know the person spell it. */
const givenAmong = (identities: readonly (KnownIdentity & { given: boolean })[]): KnownIdentity[] =>
  identities.filter(one => one.given).map(({ value, ...rest }) => ({ ...rest, value: value.toLowerCase() }))

/**
 * A report as whoever made it sees it: that it was received, and what they gave themself. Whether there is such an account, and
 * what becomes of it, concerns another person.
 */
function viewReport(
  request: DsarRequest,
  identities: readonly (KnownIdentity & { given: boolean })[],
  caller: Caller,
): RequestView {
  const isWithdrawn = request.state === 'withdrawn'
  const view = viewRequest(request, givenAmong(identities), caller)
  return {
    ...view,
    state: isWithdrawn ? 'withdrawn' : 'received',
    flags: [],
    legalDueOn: view.dueOn,
    completeness: null,
    coolsOffAt: null,
    closedAt: isWithdrawn ? view.closedAt : null,
    links: selfOf(request, caller),
  }
}

/**
 * A request as whoever acts for the person sees it: where it stands, and what they gave themself. Which other addresses and numbers the
 * person has, and whether they are known here at all, is not theirs to learn.
 */
function viewRepresented(
  request: DsarRequest,
  identities: readonly (KnownIdentity & { given: boolean })[],
  caller: Caller,
): RequestView {
  const view = viewRequest(request, givenAmong(identities), caller)
  return { ...view, flags: [], completeness: null, links: selfOf(request, caller) }
}

/** As a caller sees it, who may be party to it or speak of somebody else. */
export function viewAs(
  request: DsarRequest,
  identities: readonly (KnownIdentity & { given: boolean })[],
  caller: Caller,
  as: SeenAs,
): RequestView {
  if (as === 'reporter') return viewReport(request, identities, caller)
  return as === 'representative' ? viewRepresented(request, identities, caller) : viewRequest(request, identities, caller)
}

/** Enough for whoever knows it to recognise it, not enough for anybody else: `a…@e….org`, `u…9`. */
export function masked(type: string, value: string): string {
  if (type !== 'email') return value.length > 4 ? `${value[0]}…${value.at(-1)}` : '…'
  const [local = '', domain = ''] = value.split('@')
  const dot = domain.lastIndexOf('.')
  return `${local[0] ?? ''}…@${domain[0] ?? ''}…${dot > 0 ? domain.slice(dot) : ''}`
}
