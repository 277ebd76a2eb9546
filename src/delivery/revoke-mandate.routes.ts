import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { RevocationBody } from '../verification/mandate-body.ts'
import { MandateView, viewMandate } from '../verification/mandate-view.ts'
import { revokeMandate } from './revoke-mandate.ts'

export interface RevokeMandateRoutesDeps extends CaseDeps, Database {
  vault: Vault
}

const Id = Type.String({ format: 'uuid' })

/** What two people took for a power can be taken back by one. */
export const revokeMandateRoutes =
  (deps: RevokeMandateRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/mandates/:mandate/revocation',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: ['not_found', 'illegal_transition', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'revokeMandate',
          tags: ['verification'],
          summary: 'Take a mandate back',
          description:
            'By one officer, also after the answer was given: nobody is asked for content any more, and no code, link or download works that ' +
            'was on its way. An open request waits for another mandate, and for the person to show anew who they are.',
          params: Type.Object({ id: Id, mandate: Id }),
          body: RevocationBody,
          response: { 200: MandateView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id, mandate } = req.params
          await visibleRequest(deps, tx, id, req.caller)
          const revoked = await revokeMandate(deps, tx, id, { id: mandate, reason: req.body.reason }, req.caller)
          return { status: 200, headers: {}, body: viewMandate(revoked) }
        }),
    )
  }
