import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Tx } from '../platform/database.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { Instant } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { lettersOf } from './outbox.ts'

const WHEN = '2026-11-20T09:12:00.000Z'
const LETTER = {
  ...{ id: '019af0c2-9a00-7c3a-9b54-2f60c1a7e8d6', kind: 'ready', state: 'sent', attempts: 1 },
  ...{ writtenAt: WHEN, sentAt: WHEN },
} as const

const LetterView = Type.Object({
  id: Type.String({ format: 'uuid' }),
  kind: Type.String(),
  state: Type.Enum(['queued', 'sent', 'refused', 'superseded']),
  attempts: Type.Integer(),
  writtenAt: Instant,
  sentAt: Type.Union([Instant, Type.Null()]),
})

/** Which letters a request has set off. */
export const letterRoutes =
  (deps: IdentityDeps & { read: Tx }): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/letters',
      {
        config: { allow: { support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'] }, problems: ['not_found'] },
        schema: {
          operationId: 'listLetters',
          tags: ['messages'],
          summary: 'Which letters went out about a request',
          description: 'Of which kind, when, and whether a mail server took them: neither what they say nor to which address.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { letters: Type.Array(LetterView) },
              { description: 'The oldest first.', examples: [{ letters: [LETTER] }] },
            ),
          },
        },
      },
      async req => {
        const { id } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const letters = await lettersOf(deps.read, id)
        return {
          letters: letters.map(({ writtenAt, sentAt, ...letter }) => ({
            ...letter,
            writtenAt: writtenAt.toISOString(),
            sentAt: sentAt?.toISOString() ?? null,
          })),
        }
      },
    )
  }
