import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import { HOLD_REASONS, RELEASE_REASONS } from '../domain/hold.ts'
import { decodeCursor, encodeCursor, nextLink } from '../platform/cursor.ts'
import type { Database } from '../platform/database.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import type { Vault } from '../platform/vault.ts'
import { checkIdentities } from '../requests/check-identities.ts'
import { heldBy } from '../requests/held.ts'
import { IdentitySchema } from '../requests/request-bodies.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { approveHold, approveRelease, type HoldDeps, proposeHold, proposeRelease } from './decide-hold.ts'
import { HOLD_EXAMPLE, HoldView, viewHold } from './hold-view.ts'
import { findHolds, getHold, type Hold } from './holds.store.ts'

export interface HoldRoutesDeps extends HoldDeps, Database {
  vault: Vault
}

const closed = { additionalProperties: false } as const
const OFFICERS = { support_agent: ['privacy_officer', 'dpo'] } as const
const Id = Type.String({ format: 'uuid' })
const Params = Type.Object({ id: Id })
const Cursor = Type.Object({ id: Id })
const filters = {
  holding: Type.Optional(Type.Boolean({ description: 'Only those that hold now, or only those that do not.' })),
  cursor: Type.Optional(Type.String({ maxLength: 1000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })),
}
const HoldPage = Type.Object(
  { holds: Type.Array(HoldView), next: Type.Optional(Type.String()) },
  {
    ...closed,
    description: 'The newest first; `next` is the cursor of the page after it.',
    examples: [{ holds: [HOLD_EXAMPLE] }],
  },
)
const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000]+$' })

const common = { tags: ['holds'], params: Params }
const deciding = ['not_found', 'illegal_transition', 'key_reused', 'in_progress'] as const

/** Legal holds: what two people keep from being erased, and two people let go. */
export const holdRoutes =
  (deps: HoldRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    const view = (hold: Hold) => viewHold(hold, deps.clock.now())
    const answer = async (status: number, decided: Promise<Hold>): Promise<StoredAnswer> => {
      const hold = await decided
      return { status, headers: { location: `/v1/holds/${hold.id}` }, body: view(hold) }
    }
    const page = async (filter: Parameters<typeof findHolds>[2], limit: number, cursor?: string) => {
      const before = cursor === undefined ? undefined : decodeCursor(Cursor, cursor).id
      const found = await findHolds(deps, deps.read, filter, deps.clock.now(), { limit, ...(before && { before }) })
      return { holds: found.holds.map(view), ...(found.next && { next: encodeCursor(found.next) }) }
    }

    api.post(
      '/holds',
      {
        config: {
          allow: OFFICERS,
          problems: ['unprocessable', 'already_exists', 'key_reused', 'in_progress'],
          sends: ['Location'],
        },
        schema: {
          operationId: 'proposeHold',
          tags: ['holds'],
          summary: 'Propose a legal hold',
          description:
            'Nothing of the person is erased from now on for 72 hours, and beyond them once a second person has approved. Of the identities only keyed hashes are kept.',
          body: Type.Object(
            {
              identities: Type.Array(IdentitySchema, { minItems: 1, maxItems: 10 }),
              reason: Type.Enum([...HOLD_REASONS]),
              reference: { ...Text(200), description: 'Of the file in which the reason can be read.' },
              note: Type.Optional(Text(2000)),
            },
            {
              ...closed,
              examples: [{ identities: [{ type: 'user_id', value: '1042' }], reason: 'litigation', reference: 'LIT-2026-014' }],
            },
          ),
          response: { 201: HoldView },
        },
      },
      (req, reply) => {
        const given = { ...req.body, identities: checkIdentities(req.body.identities, '/identities') }
        return act(deps, req, reply, tx => answer(201, proposeHold(deps, tx, given, req.caller)))
      },
    )

    api.get(
      '/holds',
      {
        config: { allow: OFFICERS, sends: ['Link'] },
        schema: {
          operationId: 'listHolds',
          tags: ['holds'],
          summary: 'Legal holds, the newest first',
          description: 'Those of everybody, with who proposed and who approved them.',
          querystring: Type.Object(filters, closed),
          response: { 200: HoldPage },
        },
      },
      async (req, reply) => {
        const { cursor, limit = 25, ...filter } = req.query
        const found = await page(filter, limit, cursor)
        if (found.next) reply.header('link', nextLink(req.url, found.next))
        return found
      },
    )

    api.post(
      '/holds/search',
      {
        config: { allow: OFFICERS, problems: ['unprocessable'] },
        schema: {
          operationId: 'searchHolds',
          tags: ['holds'],
          summary: 'Find legal holds by an exact identity',
          description: 'Identities travel in the body, because addresses (URLs) are written into logs.',
          body: Type.Object(
            { identity: IdentitySchema, ...filters },
            { ...closed, examples: [{ identity: { type: 'email', value: 'ana@example.org' }, holding: true }] },
          ),
          response: { 200: HoldPage },
        },
      },
      async ({ body: { identity, cursor, limit = 25, ...filter } }) => {
        const [exact = identity] = checkIdentities([identity], '/identity')
        return page({ ...filter, identity: exact }, limit, cursor)
      },
    )

    api.get(
      '/requests/:id/holds',
      {
        config: { allow: OFFICERS, problems: ['not_found'] },
        schema: {
          ...common,
          operationId: 'listHoldsOfRequest',
          summary: 'The legal holds that stand against a request',
          description: 'Those that hold now, on any identity that the request knows.',
          response: { 200: HoldPage },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        return page({ ids: await heldBy(deps, deps.read, req.params.id) }, 100)
      },
    )

    api.get(
      '/holds/:id',
      {
        config: { allow: OFFICERS, problems: ['not_found'] },
        schema: {
          ...common,
          operationId: 'getHold',
          summary: 'Read a legal hold',
          description: 'Where it stands, why it is there, and who decided.',
          response: { 200: HoldView },
        },
      },
      async req => view(await getHold(deps, deps.read, req.params.id)),
    )

    api.post(
      '/holds/:id/approval',
      {
        config: { allow: OFFICERS, oneShot: true, problems: [...deciding, 'second_person_needed'], sends: ['Location'] },
        schema: {
          ...common,
          operationId: 'approveHold',
          summary: 'Approve a legal hold',
          description: 'By somebody other than who proposed it. It holds until two people release it.',
          response: { 200: HoldView },
        },
      },
      (req, reply) => act(deps, req, reply, tx => answer(200, approveHold(deps, tx, req.params.id, req.caller))),
    )

    api.post(
      '/holds/:id/release',
      {
        config: { allow: OFFICERS, problems: deciding, sends: ['Location'] },
        schema: {
          ...common,
          operationId: 'proposeRelease',
          summary: 'Propose to release a legal hold',
          description: 'It goes on holding. The proposal is void when nobody approves it for 72 hours.',
          body: Type.Object({ reason: Type.Enum([...RELEASE_REASONS]) }, { ...closed, examples: [{ reason: 'matter_ended' }] }),
          response: { 200: HoldView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, tx => answer(200, proposeRelease(deps, tx, req.params.id, req.body.reason, req.caller))),
    )

    api.post(
      '/holds/:id/release/approval',
      {
        config: { allow: OFFICERS, oneShot: true, problems: [...deciding, 'second_person_needed'], sends: ['Location'] },
        schema: {
          ...common,
          operationId: 'approveRelease',
          summary: 'Release a legal hold',
          description: 'By somebody other than who proposed to release it.',
          response: { 200: HoldView },
        },
      },
      (req, reply) => act(deps, req, reply, tx => answer(200, approveRelease(deps, tx, req.params.id, req.caller))),
    )
  }
