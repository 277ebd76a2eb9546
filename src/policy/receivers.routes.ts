import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Receiver } from './receivers.ts'

const EXAMPLE = { receivers: [{ id: 'open-university', name: 'Open University' }] }

/** To whom a copy can be sent directly, for those who offer people the choice. Where it is sent is nobody's business. */
export const receiverRoutes =
  (deps: { receivers: readonly Receiver[] }): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/receivers',
      {
        config: { allow: { public: true }, rateLimit: { max: 120, timeWindow: 60_000 }, problems: ['too_many_requests'] },
        schema: {
          operationId: 'listReceivers',
          tags: ['policy'],
          summary: 'Controllers that a copy can be sent to directly',
          description:
            'What `details.transmitTo` of a portability request may name (Art. 20(2) GDPR). An empty list: direct transmission is switched off.',
          response: {
            200: Type.Object(
              { receivers: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })) },
              { description: 'Those that the operator has registered.', examples: [EXAMPLE] },
            ),
          },
        },
      },
      async () => ({ receivers: deps.receivers.map(({ id, name }) => ({ id, name })) }),
    )
  }
