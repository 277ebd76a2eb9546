import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { Instant } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { renderLetter } from './letters/render-letter.ts'
import { lettersOf, unmailedLetter } from './outbox.ts'

const WHEN = '2026-11-20T09:12:00.000Z'
const LETTER = {
  ...{ id: '019af0c2-9a00-7c3a-9b54-2f60c1a7e8d6', kind: 'ready', state: 'sent', attempts: 1 },
  ...{ writtenAt: WHEN, sentAt: WHEN, toBeTold: false },
} as const

const LetterView = Type.Object({
  id: Type.String({ format: 'uuid' }),
  kind: Type.String(),
  state: Type.Enum(['queued', 'sent', 'refused', 'superseded', 'unaddressed']),
  attempts: Type.Integer(),
  writtenAt: Instant,
  sentAt: Type.Union([Instant, Type.Null()]),
  toBeTold: Type.Boolean({ description: 'It was mailed to nobody, and can be read to be told otherwise.' }),
})

export interface LetterRoutesDeps {
  read: Tx
  vault: Vault
}

/** Which letters a request has set off. */
export const letterRoutes =
  (deps: LetterRoutesDeps): FastifyPluginAsyncTypebox =>
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

    api.get(
      '/requests/:id/letters/:letter',
      {
        config: { allow: { support_agent: ['privacy_officer', 'dpo'] }, problems: ['not_found'] },
        schema: {
          operationId: 'readUnmailedLetter',
          tags: ['messages'],
          summary: 'Read a letter that nobody could be mailed',
          description:
            'What the person has to be told and no mail reaches them with, to be posted on paper or read out; then say so (see tellOtherwise). ' +
            'No letter that opens or proves anything is shown, and none that was mailed.',
          params: Type.Object({ ...RequestParams.properties, letter: Type.String({ format: 'uuid' }) }),
          response: {
            200: Type.Object(
              { kind: Type.String(), subject: Type.String(), text: Type.String() },
              {
                description: 'The letter, in the language of the person.',
                examples: [
                  { kind: 'restricted', subject: 'A request about your account has been carried out', text: 'Hello, …' },
                ],
              },
            ),
          },
        },
      },
      async req => {
        const { id } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const letter = await unmailedLetter(deps, deps.read, id, req.params.letter)
        if (!letter) throw new Problem('not_found')
        const { subject, text } = renderLetter(letter.kind, letter.locale, letter.values)
        return { kind: letter.kind, subject, text }
      },
    )
  }
