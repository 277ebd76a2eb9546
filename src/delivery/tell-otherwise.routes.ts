import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { actOnRequest, asItIs, OF_AN_ACT } from '../requests/act-on-request.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { instantOf } from '../requests/request-bodies.ts'
import { Instant, RequestView } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { countersigned, Proposed } from '../staff/countersign.ts'
import { OTHER_WAYS, tellOtherwise } from './tell-otherwise.ts'

export interface TellOtherwiseRoutesDeps extends CaseDeps, Omit<IdentityDeps, 'vault'>, Database {
  vault: Vault
}

const Body = Type.Object(
  {
    how: Type.Enum([...OTHER_WAYS]),
    toldAt: { ...Instant, description: 'When they were told, or when the letter was posted.' },
    reference: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9_./:-]{0,63}$',
      description: 'Of the file in which it can be read. It goes on the record: a number, neither a name nor what was said.',
    }),
  },
  { additionalProperties: false, examples: [{ how: 'post', toldAt: '2026-11-24T10:00:00.000Z', reference: 'POST-2026-118' }] },
)

/** What no letter can tell, people tell, and say so. */
export const tellOtherwiseRoutes =
  (deps: TellOtherwiseRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/told-otherwise',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: [...OF_AN_ACT, 'second_person_needed'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'tellOtherwise',
          tags: ['requests'],
          summary: 'Note that the person was told by other means than a mail',
          description:
            'For a request with the flag `mail_undeliverable`: no address is on file, or no mail arrives. An answer counts as handed over by it, and the ' +
            'request is completed; a request that ended otherwise stays as it is, and its flag is lowered. A copy of data is never handed over by word. ' +
            'Takes If-Match with the ETag of the request as it was read. In a case about a VIP or a colleague another officer has to say the same.',
          params: RequestParams,
          body: Body,
          response: { 200: RequestView, 202: Proposed },
        },
      },
      async (req, reply) => {
        const { body, caller, params } = req
        const told = { ...body, toldAt: instantOf(body.toldAt, '/toldAt') }
        return actOnRequest(deps, req, reply, params.id, tx =>
          countersigned(deps, tx, params.id, { act: 'told_otherwise', said: told }, caller, async () =>
            asItIs(deps, tx, await tellOtherwise(deps, tx, params.id, told, caller), caller),
          ),
        )
      },
    )
  }
