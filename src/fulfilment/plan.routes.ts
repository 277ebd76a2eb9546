import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { isForeseeable } from '../domain/lifecycle.ts'
import { Problem } from '../domain/problem.ts'
import type { Vault } from '../platform/vault.ts'
import type { Receiver } from '../policy/receivers.ts'
import { detailsOf } from '../requests/details.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { isDataSubject, visibleRequest } from '../requests/visible-request.ts'
import { type ForeseeDeps, foresee } from './foresee.ts'

export interface PlanRoutesDeps extends Omit<ForeseeDeps, 'vault'> {
  vault: Vault
  receivers: readonly Receiver[]
}

const EXAMPLE = {
  adapter: 'billing',
  title: 'Billing',
  problem: null,
  datasets: [
    {
      ...{ name: 'invoices', title: 'Invoices', category: 'billing', what: 'keep', count: 12, ground: '17_3_b' },
      ...{ statute: 'the tax and company law that binds the seller', until: '2033-11-20' },
    },
    { name: 'payment_methods', title: 'Payment methods', category: 'billing', what: 'erase', count: 1, ground: '17_1_b' },
  ],
}
const TRANSMISSION = { receiver: 'open-university', name: 'Open University', ground: '20_2' } as const
const Plan = Type.Object(
  {
    adapters: Type.Array(
      Type.Object({
        adapter: Type.String(),
        title: Type.String(),
        problem: Type.Union([Type.String(), Type.Null()], {
          description:
            'Why there are no counts, such as `identity_not_proven`, `cannot_count` or `too_slow`; `not_supported`: it has to be done by hand.',
        }),
        datasets: Type.Array(
          Type.Object({
            name: Type.String(),
            title: Type.String(),
            category: Type.String(),
            what: Type.String({
              description:
                '`collect` hands over, `rectify` corrects, `erase` erases, `keep` keeps by law, `refuse` and `forward` leave out; or another action.',
            }),
            count: Type.Union([Type.Integer(), Type.Null()], { description: 'Null where nobody could say.' }),
            ground: Type.String({ description: 'The article of the GDPR it rests on.' }),
            statute: Type.Optional(Type.String()),
            until: Type.Optional(Type.String({ format: 'date' })),
          }),
        ),
      }),
    ),
    transmission: Type.Optional(
      Type.Object(
        { receiver: Type.String(), name: Type.String(), ground: Type.Literal('20_2') },
        { description: 'To which other controller all that is handed over is also sent directly; left out where to none.' },
      ),
    ),
  },
  {
    description: 'What would come of it, as far as can be said now.',
    examples: [{ adapters: [EXAMPLE] }, { adapters: [], transmission: TRANSMISSION }],
  },
)

/** What would be handed over, corrected, erased and kept, before anything is. */
export const planRoutes =
  (deps: PlanRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/plan',
      {
        config: {
          allow: { support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'], portal: true },
          rateLimit: { max: 20, timeWindow: 60_000 }, // each asks every adapter, beside what those bear of tasks
          problems: ['not_found', 'illegal_transition'],
        },
        schema: {
          operationId: 'getPlan',
          tags: ['requests'],
          summary: 'What would come of a request',
          description:
            'A dry run: adapters that have not counted yet are asked to, and for nothing else, for ten seconds ' +
            'at most; nothing is changed and nothing is kept of it. Once it is being carried out, the tasks say what came of it.',
          params: RequestParams,
          response: { 200: Plan },
        },
      },
      async req => {
        const request = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        if (req.caller.kind === 'portal' && !(await isDataSubject(deps, deps.read, request.id, req.caller)))
          throw new Problem('not_found')
        if (!isForeseeable(request.state, request.right))
          throw new Problem('illegal_transition', 'It is being carried out, or was: its tasks say what came of it.')
        const { transmitTo } = await detailsOf(deps, deps.read, request.id)
        const receiver = deps.receivers.find(({ id }) => id === transmitTo)
        return {
          adapters: await foresee(deps, request),
          ...(receiver && { transmission: { receiver: receiver.id, name: receiver.name, ground: '20_2' as const } }),
        }
      },
    )
  }
