import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { newWork, type WorkDeps } from './work.ts'

const Challenge = Type.Object(
  {
    parameters: Type.Object(
      {
        algorithm: Type.String(),
        nonce: Type.String(),
        salt: Type.String(),
        cost: Type.Integer(),
        keyLength: Type.Integer(),
        keyPrefix: Type.String(),
        keySignature: Type.Optional(Type.String()),
        expiresAt: Type.Optional(Type.Integer()),
      },
      { additionalProperties: true },
    ),
    signature: Type.Optional(Type.String()),
  },
  {
    description: 'An ALTCHA challenge (version 2): any of its widgets and libraries does the work.',
    examples: [
      {
        parameters: {
          algorithm: 'PBKDF2/SHA-256',
          nonce: '8d6c1e4a0b5f4a43b1f6a2d0a87c9e11',
          salt: '5b7f0a4d9a1c4ce2b9c8f0d1e2a3b4c5',
          cost: 1000,
          keyLength: 32,
          keyPrefix: '3f2a9c0e11d84b6fa7d0c2b19e5f6a70',
          expiresAt: 1_790_000_000,
        },
        signature: '6d1f0c…',
      },
    ],
  },
)

/** Work for those who are asked for it. */
export const workRoutes =
  (deps: WorkDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/work',
      {
        config: { allow: { public: true }, rateLimit: { max: 60, timeWindow: 60_000 }, problems: ['too_many_requests'] },
        schema: {
          operationId: 'getWork',
          tags: ['verification'],
          summary: 'Something to compute',
          description:
            'Asked for, with `work_needed`, of callers without a token while codes are guessed at on a large scale. The result goes into the header `DSAR-Work`, once, within ten minutes.',
          response: { 200: Challenge },
        },
      },
      async () => newWork(deps),
    )
  }
