import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import type { Caller } from '../auth/caller.ts'
import { requireMatch } from '../auth/require-match.ts'
import { FLAGS, STATES } from '../domain/lifecycle.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import { decodeCursor, encodeCursor, nextLink } from '../platform/cursor.ts'
import type { Database, Tx } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import type { Vault } from '../platform/vault.ts'
import { lockRequest } from './apply-event.ts'
import { checkIdentities } from './check-identities.ts'
import { cancelRequest, withdrawRequest } from './close-request.ts'
import { checkDetails } from './details.ts'
import { type Filter, findRequests } from './find-requests.ts'
import { identitiesOf } from './identities.store.ts'
import { type OpenDeps, openRequest } from './open-request.ts'
import { assertionOf, CancellationBody, IdentitySchema, instantOf, OpenRequestBody } from './request-bodies.ts'
import { REQUEST_EXAMPLE, RequestView, RightSchema, viewRequest } from './request-view.ts'
import { visibleRequest } from './visible-request.ts'

export interface RequestRoutesDeps extends Omit<OpenDeps, 'vault'>, Database {
  vault: Vault
}

const STAFF = ['agent', 'privacy_officer', 'dpo', 'operator'] as const
export const RequestParams = Type.Object({ id: Type.String({ format: 'uuid' }) })
/** The database's calendar has no year 0. */
const DayToFind = Type.String({ format: 'date', pattern: '^(?!0000)' })
const Cursor = Type.Object({ dueOn: DayToFind, id: Type.String({ format: 'uuid' }) })
const paging = {
  cursor: Type.Optional(Type.String({ maxLength: 1000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })),
}
const filters = {
  state: Type.Optional(Type.Enum(STATES)),
  type: Type.Optional(RightSchema),
  flag: Type.Optional(Type.Enum([...FLAGS])),
  dueBy: Type.Optional({ ...DayToFind, description: 'Due on this day or before.' }),
  open: Type.Optional(Type.Boolean({ description: 'Only those still open, or only those that have ended.' })),
}
const RequestPage = Type.Object(
  { requests: Type.Array(RequestView), next: Type.Optional(Type.String()) },
  {
    description: 'A page of requests; `next` is the cursor of the page after it.',
    examples: [{ requests: [REQUEST_EXAMPLE], next: 'eyJkdWVPbiI6IjIwMjYtMTItMjAifQ' }],
  },
)

/** Intake and casework: open, find, read, take back. */
export const requestRoutes =
  (deps: RequestRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests',
      {
        config: {
          allow: { service: 'requests:open', support_agent: STAFF, portal: true, anonymous: true },
          problems: ['unprocessable', 'already_exists', 'key_reused', 'in_progress'],
          sends: ['Location', 'ETag'],
        },
        schema: {
          operationId: 'openRequest',
          tags: ['requests'],
          summary: 'Open a request',
          description:
            'Takes in a request in the name of a data subject. The answer is the same whether the person is known or not.',
          body: OpenRequestBody,
          response: { 201: RequestView },
        },
      },
      (req, reply) => act(deps, req, reply, tx => open(deps, tx, req.body, req.caller)),
    )

    api.get(
      '/requests',
      {
        config: { allow: { service: 'requests:read', support_agent: STAFF, portal: true }, sends: ['Link'] },
        schema: {
          operationId: 'findRequests',
          tags: ['requests'],
          summary: 'Find requests, the most urgent first',
          description: 'Those that the caller may see: all of them for staff, their own for everybody else.',
          querystring: Type.Object({ ...filters, ...paging }, { additionalProperties: false }),
          response: { 200: RequestPage },
        },
      },
      async (req, reply) => {
        const { cursor, limit = 25, ...filter } = req.query
        const page = await findPage(deps, filter, cursor, limit, req.caller)
        if (page.next) reply.header('link', nextLink(req.url, page.next))
        return page
      },
    )

    api.post(
      '/requests/search',
      {
        config: { allow: { service: 'requests:read', support_agent: STAFF }, problems: ['unprocessable'] },
        schema: {
          operationId: 'searchRequests',
          tags: ['requests'],
          summary: 'Find requests by an exact identifier or reference',
          description: 'Identifiers of people travel in the body, because addresses (URLs) are written into logs.',
          body: Type.Object(
            {
              ...filters,
              ...paging,
              identity: Type.Optional(IdentitySchema),
              reference: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
            },
            { additionalProperties: false, examples: [{ identity: { type: 'email', value: 'ana@example.org' }, open: true }] },
          ),
          response: { 200: RequestPage },
        },
      },
      async req => {
        const { cursor, limit = 25, identity, ...rest } = req.body
        const [exact] = identity ? checkIdentities([identity]) : []
        return findPage(deps, { ...rest, ...(exact && { identity: exact }) }, cursor, limit, req.caller)
      },
    )

    api.get(
      '/requests/:id',
      {
        config: {
          allow: { service: 'requests:read', support_agent: STAFF, portal: true },
          problems: ['not_found'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'getRequest',
          tags: ['requests'],
          summary: 'Read a request',
          description: 'Where it stands. What one may not see cannot be told from what does not exist.',
          params: RequestParams,
          response: { 200: RequestView },
        },
      },
      async (req, reply) => {
        const request = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        return reply.header('etag', etagOf(request.version)).send(await view(deps, deps.read, request, req.caller))
      },
    )

    api.post(
      '/requests/:id/withdrawal',
      {
        config: {
          allow: { service: 'requests:open', portal: true },
          problems: ['not_found', 'illegal_transition', 'key_reused', 'in_progress'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'withdrawRequest',
          tags: ['requests'],
          summary: 'Take a request back',
          description: 'By the person, or by the service that opened it for them, until the answer has been handed over.',
          params: RequestParams,
          response: { 200: RequestView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, tx => changed(deps, tx, req.caller, withdrawRequest(deps, tx, req.params.id, req.caller))),
    )

    api.post(
      '/requests/:id/cancellation',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: ['not_found', 'illegal_transition', 'stale', 'precondition_required', 'key_reused', 'in_progress'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'cancelRequest',
          tags: ['requests'],
          summary: 'End a request that should not go on',
          description: 'Takes If-Match with the ETag of the request as it was read.',
          params: RequestParams,
          body: CancellationBody,
          response: { 200: RequestView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await visibleRequest(deps, tx, req.params.id, req.caller)
          requireMatch(req, (await lockRequest(tx, req.params.id)).version)
          return changed(deps, tx, req.caller, cancelRequest(deps, tx, req.params.id, req.body.reason, req.caller))
        }),
    )
  }

async function open(deps: RequestRoutesDeps, tx: Tx, body: OpenRequestBody, caller: Caller): Promise<StoredAnswer> {
  const { type, subject, requester, receivedAt, scope, details, assurance, ...rest } = body
  const { identities, ...person } = subject
  const request = await openRequest(
    deps,
    tx,
    {
      ...rest,
      right: type,
      subject: { ...person, ...(identities && { identities: checkIdentities(identities) }) },
      relationship: requester?.relationship ?? 'self',
      scope: scope ?? {},
      details: checkDetails(deps.policy, type, details),
      ...(receivedAt && { receivedAt: instantOf(receivedAt, '/receivedAt') }),
      ...(assurance && { assurance: assertionOf(assurance) }),
    },
    caller,
  )
  return {
    status: 201,
    headers: { location: `/v1/requests/${request.id}`, etag: etagOf(request.version) },
    body: await view(deps, tx, request, caller),
  }
}

async function changed(deps: RequestRoutesDeps, tx: Tx, caller: Caller, change: Promise<DsarRequest>): Promise<StoredAnswer> {
  const request = await change
  return { status: 200, headers: { etag: etagOf(request.version) }, body: await view(deps, tx, request, caller) }
}

const view = async (deps: RequestRoutesDeps, tx: Tx, request: DsarRequest, caller: Caller): Promise<RequestView> =>
  viewRequest(request, await identitiesOf(deps, tx, request.id), caller)

async function findPage(deps: RequestRoutesDeps, filter: Filter, cursor: string | undefined, limit: number, caller: Caller) {
  if (filter.flag && caller.kind !== 'support_agent') throw new Problem('not_allowed', 'Flags are for the staff.')
  const after = cursor === undefined ? undefined : decodeCursor(Cursor, cursor)
  const { requests, next } = await findRequests(deps, deps.read, filter, { limit, ...(after && { after }) }, caller)
  const views = await Promise.all(requests.map(request => view(deps, deps.read, request, caller)))
  return { requests: views, ...(next && { next: encodeCursor(next) }) }
}
