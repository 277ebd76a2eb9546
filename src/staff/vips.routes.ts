import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { act } from '../auth/act.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { checkIdentities } from '../requests/check-identities.ts'
import { IdentitySchema } from '../requests/request-bodies.ts'
import { Instant } from '../requests/request-view.ts'
import { listVip, listVips, removeVip, type Vip } from './vips.store.ts'

export interface VipRoutesDeps extends CaseDeps, Database {
  vault: Vault
}

const closed = { additionalProperties: false } as const
const OFFICERS = { support_agent: ['privacy_officer', 'dpo'] } as const
const Reference = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9_./:-]{0,63}$',
  description: 'Of the file in which it can be read who that is. It goes on the record: a number, not a name.',
})
const VIP = {
  id: '019af0c2-9a00-7c3a-9b54-2f60c1a7e8d7',
  reference: 'HR-2026-17',
  listedBy: 'https://staff.example|officer-1',
  listedAt: '2026-11-20T09:12:00.000Z',
  removalProposedBy: null,
}
const VipView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    reference: Reference,
    listedBy: Type.String(),
    listedAt: Instant,
    removalProposedBy: Type.Union([Type.String(), Type.Null()]),
  },
  { title: 'Vip', description: 'Somebody whose cases are for officers alone.', examples: [VIP] },
)
const view = (vip: Vip): Static<typeof VipView> => ({ ...vip, listedAt: vip.listedAt.toISOString() })

/** People whom the curious would look up: their cases are for officers alone, and what is decided on them takes two. */
export const vipRoutes =
  (deps: VipRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/vips',
      {
        config: { allow: OFFICERS, problems: ['unprocessable', 'key_reused', 'in_progress'] },
        schema: {
          operationId: 'listVip',
          tags: ['vips'],
          summary: 'Keep somebody’s cases for officers alone',
          description:
            'Those that there are, and those that come: support agents and operators do not see them, and a decision on one takes two people. ' +
            'Of the identities only keyed hashes are kept.',
          body: Type.Object(
            { identities: Type.Array(IdentitySchema, { minItems: 1, maxItems: 10 }), reference: Reference },
            { ...closed, examples: [{ identities: [{ type: 'user_id', value: '1042' }], reference: 'HR-2026-17' }] },
          ),
          response: { 201: VipView },
        },
      },
      (req, reply) => {
        const given = { ...req.body, identities: checkIdentities(req.body.identities, '/identities') }
        return act(deps, req, reply, async tx => ({
          status: 201,
          headers: {},
          body: view(await listVip(deps, tx, given, req.caller)),
        }))
      },
    )

    api.get(
      '/vips',
      {
        config: { allow: OFFICERS },
        schema: {
          operationId: 'getVips',
          tags: ['vips'],
          summary: 'Whose cases are for officers alone',
          description: 'By the references under which it can be looked up who they are.',
          response: {
            200: Type.Object({ vips: Type.Array(VipView) }, { description: 'All of them.', examples: [{ vips: [VIP] }] }),
          },
        },
      },
      async () => ({ vips: (await listVips(deps.read)).map(view) }),
    )

    api.delete(
      '/vips/:id',
      {
        config: {
          allow: OFFICERS,
          problems: ['not_found', 'second_person_needed', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'removeVip',
          tags: ['vips'],
          summary: 'Take somebody off the list, as one of two people',
          description:
            'The first officer to call it proposes it (200), another one does it (204). What was kept for officers alone until then stays so.',
          params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
          response: { 200: VipView, 204: Type.Null({ description: 'Two people wanted it: it is off the list.' }) },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const proposed = await removeVip(deps, tx, req.params.id, req.caller)
          return proposed ? { status: 200, headers: {}, body: view(proposed) } : { status: 204, headers: {}, body: null }
        }),
    )
  }
