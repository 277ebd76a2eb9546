import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Caller } from '../auth/caller.ts'
import { FLAGS, STATES } from '../domain/lifecycle.ts'
import { Problem } from '../domain/problem.ts'
import { decodeCursor, encodeCursor, nextLink } from '../platform/cursor.ts'
import type { Tx } from '../platform/database.ts'
import { checkIdentities } from './check-identities.ts'
import { type Filter, findRequests } from './find-requests.ts'
import { type IdentityDeps, identitiesOf } from './identities.store.ts'
import { IdentitySchema } from './request-bodies.ts'
import { REQUEST_EXAMPLE, RequestView, RightSchema, viewAs } from './request-view.ts'
import { seenBy } from './visible-request.ts'

export interface FindRoutesDeps extends IdentityDeps {
  read: Tx
}

const STAFF = ['agent', 'privacy_officer', 'dpo', 'operator'] as const
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

/** Finding requests. Reports are found by the staff alone: a filter would tell whoever made one what became of it. */
export const findRoutes =
  (deps: FindRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests',
      {
        config: { allow: { service: 'requests:read', support_agent: STAFF, portal: true }, sends: ['Link'] },
        schema: {
          operationId: 'findRequests',
          tags: ['requests'],
          summary: 'Find requests, the most urgent first',
          description:
            'Those that the caller may see: all of them for staff, their own for everybody else, and what they asked for others at the portal.',
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
  }

async function findPage(deps: FindRoutesDeps, filter: Filter, cursor: string | undefined, limit: number, caller: Caller) {
  if (filter.flag && caller.kind !== 'support_agent') throw new Problem('not_allowed', 'Flags are for the staff.')
  const after = cursor === undefined ? undefined : decodeCursor(Cursor, cursor)
  const { requests, next } = await findRequests(deps, deps.read, filter, { limit, ...(after && { after }) }, caller)
  const views = await Promise.all(
    requests.map(async request =>
      viewAs(request, await identitiesOf(deps, deps.read, request.id), caller, await seenBy(deps, deps.read, request, caller)),
    ),
  )
  return { requests: views, ...(next && { next: encodeCursor(next) }) }
}
