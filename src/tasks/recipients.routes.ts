import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { type Recorder, requestStream } from '../audit/record.ts'
import { act } from '../auth/act.ts'
import { toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { Instant } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { isDataSubject, visibleRequest } from '../requests/visible-request.ts'
import { NOTICE_STATES, noticesOf, type RecipientNotice, settleNotice } from './recipients.store.ts'

export interface RecipientRoutesDeps extends Database {
  vault: Vault
  clock: Clock
  record: Recorder
}

const closed = { additionalProperties: false } as const
/** Why somebody was not told, in the words of Art. 19: a code, because it is shown to the person. */
const WHYS = ['no_contact', 'recipient_gone', 'already_erased', 'anonymised', 'too_many_recipients', 'cost'] as const
const EXAMPLE = { recipient: 'Stripe', action: 'erase', state: 'acknowledged', why: null, changedAt: '2026-11-24T09:12:00.000Z' }
const NoticeList = Type.Object(
  {
    recipients: Type.Array(
      Type.Object({
        recipient: Type.String(),
        action: Type.String({
          description: 'What was done with the data: rectify, erase or restrict; or transmit, for a copy sent directly.',
        }),
        state: Type.Enum([...NOTICE_STATES]),
        why: Type.Union([Type.String(), Type.Null()]),
        changedAt: Instant,
      }),
    ),
  },
  { description: 'Everybody to whom the data had gone, and whether they have been told.', examples: [{ recipients: [EXAMPLE] }] },
)
const Settled = Type.Object(
  {
    state: Type.Enum(['sent', 'acknowledged', 'failed', 'impossible', 'disproportionate']),
    why: Type.Optional(Type.Enum([...WHYS], { description: 'Needed for what is impossible or disproportionate.' })),
  },
  { ...closed, examples: [{ state: 'acknowledged' }, { state: 'impossible', why: 'recipient_gone' }] },
)

const view = (notices: readonly RecipientNotice[]) => ({
  recipients: notices.map(({ changedAt, ...notice }) => ({ ...notice, changedAt: changedAt.toISOString() })),
})

/** Who was told that data were corrected, erased or restricted (Art. 19). */
export const recipientRoutes =
  (deps: RecipientRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/recipients',
      {
        config: {
          allow: { support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'], portal: true },
          problems: ['not_found'],
        },
        schema: {
          operationId: 'listRecipients',
          tags: ['recipients'],
          summary: 'Who had the data, and whether they were told',
          description:
            'Art. 19: each recipient of what was corrected, erased or restricted. The person may ask for it. And, for a copy that is also sent ' +
            'directly (Art. 20(2)), its receiver: `acknowledged` once it has confirmed to have it.',
          params: RequestParams,
          response: { 200: NoticeList },
        },
      },
      async req => {
        const { id } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        // Whoever merely reported somebody, or speaks for them, does not learn with whom their data were shared.
        if (req.caller.kind === 'portal' && !(await isDataSubject(deps, deps.read, id, req.caller)))
          throw new Problem('not_found')
        return view(await noticesOf(deps.read, id))
      },
    )

    api.post(
      '/requests/:id/recipients/:recipient',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo', 'operator'] },
          problems: ['not_found', 'unprocessable', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'settleRecipient',
          tags: ['recipients'],
          summary: 'Note that a recipient was told, or why not',
          description: 'Everybody is told unless that is impossible or takes a disproportionate effort, and then it is said why.',
          params: Type.Object({ id: Type.String({ format: 'uuid' }), recipient: Type.String({ minLength: 1, maxLength: 200 }) }),
          body: Settled,
          response: { 200: NoticeList },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id, recipient } = req.params
          const { state, why = null } = req.body
          if ((state === 'impossible' || state === 'disproportionate') && why === null)
            throw new Problem('unprocessable', undefined, { errors: [{ pointer: '/why', detail: `Say why it is ${state}.` }] })
          await visibleRequest(deps, tx, id, req.caller)
          await lockRequest(tx, id)
          if (!(await settleNotice(tx, id, { recipient, state, why, at: deps.clock.now() }))) throw new Problem('not_found')
          const facts = { recipient, state, ...(why !== null && { why }) }
          await deps.record(tx, requestStream(id), toActor(req.caller), 'recipient_settled', facts)
          return { status: 200, headers: {}, body: view(await noticesOf(tx, id)) }
        }),
    )
  }
