import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { actOnRequest, asItIs, OF_AN_ACT } from '../requests/act-on-request.ts'
import { blindDetails } from '../requests/contents.ts'
import { DetailsView, givenDetails } from '../requests/details.ts'
import { messagesOf, SIDES } from '../requests/messages.store.ts'
import { Instant, RequestView } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { countersigned, Proposed } from '../staff/countersign.ts'
import { mayRead } from '../staff/view-contents.ts'
import { type AnswerDeps, answerRequest, REVIEW_OUTCOMES } from './answer-request.ts'
import { type WriteMessageDeps, writeMessage } from './write-message.ts'

export interface MessageRoutesDeps extends Omit<AnswerDeps, 'vault'>, Omit<WriteMessageDeps, 'vault'>, Database {
  vault: Vault
}

const closed = { additionalProperties: false } as const
const Words = Type.String({ minLength: 1, maxLength: 10_000, pattern: '\\S' })
const Head = { id: Type.String({ format: 'uuid' }), from: Type.Enum([...SIDES]), at: Instant }
const HEAD = { id: '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d5', from: 'person', at: '2026-11-20T09:12:00.000Z' } as const
const FILE = '019af0c2-8a11-7b0e-9d3c-71c5e2b6f404'
const Files = Type.Array(Type.String({ format: 'uuid' }), {
  maxItems: 20,
  uniqueItems: true,
  description: 'Files that go with it, found clean (see uploadAttachment).',
})
const TEXT = 'Which of your services know my address?'
const OPEN_TO = ['agent', 'privacy_officer', 'dpo'] as const

const DETAILS = { purposes: ['analytics'], reasons: 'My employer reads what it learns from that.' }
const BLIND_DETAILS = { corrections: [{ dataset: 'account', field: 'name' }], hidden: ['corrections'] }

/** What the person and the staff write to each other about a request, and how the staff answer what only people can. */
export const messageRoutes =
  (deps: MessageRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/details',
      {
        config: { allow: { service: 'requests:read', support_agent: OPEN_TO, portal: true }, problems: ['not_found'] },
        schema: {
          operationId: 'getDetails',
          tags: ['requests'],
          summary: 'Read what exactly was asked for',
          description:
            'The particulars of the right as they were given: what is to be corrected, why the person objects, which decision they contest. ' +
            'Support agents see which fields are to be corrected and that something was said: no value, and not a word.',
          params: RequestParams,
          response: { 200: { ...DetailsView, description: 'What was asked for.', examples: [DETAILS, BLIND_DETAILS] } },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const details = await givenDetails(deps, deps.read, req.params.id)
        return (await mayRead(deps, req.params.id, 'details', req.caller)) ? details : blindDetails(details)
      },
    )

    api.get(
      '/requests/:id/messages',
      {
        config: { allow: { service: 'requests:read', support_agent: OPEN_TO, portal: true }, problems: ['not_found'] },
        schema: {
          operationId: 'listMessages',
          tags: ['messages'],
          summary: 'Read what was written about a request',
          description:
            'For the person, the service that opened it for them, and the officers. A support agent sees who wrote and when, and not what. ' +
            'Whoever reported somebody else reads nothing.',
          params: RequestParams,
          response: {
            200: Type.Object(
              {
                messages: Type.Array(
                  Type.Object({ ...Head, text: Type.Union([Type.String(), Type.Null()]), attachments: Files }, closed),
                ),
              },
              {
                ...closed,
                description: 'The oldest first.',
                examples: [{ messages: [{ ...HEAD, text: TEXT, attachments: [] }] }],
              },
            ),
          },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const messages = await messagesOf(deps, deps.read, req.params.id)
        const reads = await mayRead(deps, req.params.id, 'messages', req.caller)
        return {
          messages: messages.map(({ at, text, ...head }) => ({ ...head, at: at.toISOString(), text: reads ? text : null })),
        }
      },
    )

    api.post(
      '/requests/:id/messages',
      {
        config: {
          allow: { service: 'requests:open', support_agent: OPEN_TO, portal: true },
          rateLimit: { max: 30, timeWindow: 60_000 },
          problems: ['not_found', 'illegal_transition', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'writeMessage',
          tags: ['messages'],
          summary: 'Write about an open request',
          description: 'The other side gets a mail that says that there is a message, and not what it says.',
          params: RequestParams,
          body: Type.Object(
            { text: Words, attachments: Type.Optional(Files) },
            { ...closed, examples: [{ text: TEXT }, { text: TEXT, attachments: [FILE] }] },
          ),
          response: { 201: Type.Object(Head, { ...closed, description: 'It is kept.', examples: [HEAD] }) },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await visibleRequest(deps, tx, req.params.id, req.caller)
          const { at, ...head } = await writeMessage(deps, tx, req.params.id, req.body, req.caller)
          return { status: 201, headers: {}, body: { ...head, at: at.toISOString() } }
        }),
    )

    api.post(
      '/requests/:id/answer',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: [...OF_AN_ACT, 'second_person_needed'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'answerRequest',
          tags: ['messages'],
          summary: 'Answer an inquiry, or say what came of the review of an automated decision',
          description:
            'Takes If-Match with the ETag of the request as it was read. It is completed once the letter has been sent. In a case about a VIP or a colleague another officer has to say the same.',
          params: RequestParams,
          body: Type.Object(
            {
              text: Words,
              outcome: Type.Optional(Type.Enum([...REVIEW_OUTCOMES], { description: 'Of a review (Art. 22(3)).' })),
            },
            { ...closed, examples: [{ text: 'A teacher has looked at your work again.', outcome: 'changed' }] },
          ),
          response: { 200: RequestView, 202: Proposed },
        },
      },
      async (req, reply) => {
        const { body, caller, params } = req
        return actOnRequest(deps, req, reply, params.id, tx =>
          countersigned(deps, tx, params.id, { act: 'answer', said: body }, caller, async () =>
            asItIs(deps, tx, await answerRequest(deps, tx, params.id, body, caller), caller),
          ),
        )
      },
    )
  }
