import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { requireCallable } from '../adapters/fetch-manifest.ts'
import { newSecret, Secret } from '../adapters/secret.ts'
import { act, actAfter } from '../auth/act.ts'
import { requireMatch } from '../auth/require-match.ts'
import type { Database } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import type { Outbound } from '../platform/outbound.ts'
import { changeWebhook, createWebhook, type KeepDeps, removeWebhook, rotateSecret } from './keep-webhooks.ts'
import { UNNOTICED_MS } from './tell-subscribers.ts'
import { Events, State, Url, viewWebhook, WEBHOOK_EXAMPLE, WebhookView } from './webhook-view.ts'
import { getWebhook, type Webhook, webhooksOf } from './webhooks.store.ts'

export interface WebhookRoutesDeps extends KeepDeps, Database {
  outbound: Pick<Outbound, 'examine'>
}

const closed = { additionalProperties: false } as const
const KEEPERS = { service: 'webhooks:write', support_agent: ['operator'] } as const
const common = { tags: ['webhooks'], params: Type.Object({ id: Type.String({ format: 'uuid' }) }) }
const conditional = ['not_found', 'stale', 'precondition_required', 'key_reused', 'in_progress'] as const

const answer = (status: number, webhook: Webhook, secret?: string): StoredAnswer => ({
  status,
  headers: { location: `/v1/webhooks/${webhook.id}`, etag: etagOf(webhook.version) },
  body: viewWebhook(webhook, secret),
})

/** Services say where they want to be told what happens to the requests they opened. */
export const webhookRoutes =
  (deps: WebhookRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/webhooks',
      {
        config: {
          allow: { service: 'webhooks:write' },
          problems: ['address_refused', 'unprocessable', 'key_reused', 'in_progress'],
          sends: ['Location', 'ETag'],
        },
        schema: {
          operationId: 'createWebhook',
          tags: ['webhooks'],
          summary: 'Be told what happens to one’s requests',
          description:
            'Each event is posted as `{"type", "timestamp", "data": {"requestId", "state", "dueOn", "legalDueOn"}}`, with `previousState` of a change and the ' +
            '`level` of a deadline: never anything about a person. It is signed after Standard Webhooks, and `webhook-id` is the same at every attempt. ' +
            'Only 2xx is success; else it is tried again ten times over four days, `Retry-After` heeded; 410 switches the webhook off. The order is not ' +
            'promised: what counts is the request itself. Without a `secret`, one is made and shown once. The service is told everything from this answer on.',
          body: Type.Object(
            { url: Url, events: Events, secret: Type.Optional(Secret) },
            { ...closed, examples: [{ url: WEBHOOK_EXAMPLE.url, events: WEBHOOK_EXAMPLE.events }] },
          ),
          response: { 201: WebhookView },
        },
      },
      (req, reply) => {
        const { secret = newSecret(), ...given } = req.body
        return actAfter(
          deps,
          req,
          reply,
          () => requireCallable(deps, given.url),
          async tx => {
            const webhook = await createWebhook(deps, tx, { ...given, secret }, req.caller)
            return answer(201, webhook, req.body.secret ? undefined : secret)
          },
          () => pause(UNNOTICED_MS),
        )
      },
    )

    api.get(
      '/webhooks',
      {
        config: { allow: KEEPERS },
        schema: {
          operationId: 'listWebhooks',
          tags: ['webhooks'],
          summary: 'Where a service is told',
          description: 'A service sees its own, an operator all.',
          response: {
            200: Type.Object(
              { webhooks: Type.Array(WebhookView) },
              { description: 'All of them.', examples: [{ webhooks: [WEBHOOK_EXAMPLE] }] },
            ),
          },
        },
      },
      async req => ({ webhooks: (await webhooksOf(deps.read, req.caller)).map(webhook => viewWebhook(webhook)) }),
    )

    api.get(
      '/webhooks/:id',
      {
        config: { allow: KEEPERS, problems: ['not_found'], sends: ['ETag'] },
        schema: {
          ...common,
          operationId: 'getWebhook',
          summary: 'Read a webhook',
          description: 'With its ETag, with which it can be changed.',
          response: { 200: WebhookView },
        },
      },
      async (req, reply) => {
        const webhook = await getWebhook(deps.read, req.params.id, req.caller)
        return reply.header('etag', etagOf(webhook.version)).send(viewWebhook(webhook))
      },
    )

    api.patch(
      '/webhooks/:id',
      {
        config: { allow: KEEPERS, problems: [...conditional, 'address_refused'], sends: ['Location', 'ETag'] },
        schema: {
          ...common,
          operationId: 'changeWebhook',
          summary: 'Change a webhook, switch it off or on again',
          description:
            'What is queued goes to the new address. Switched off, it is told nothing, and what was queued is given up; switched on, what comes from then on.',
          body: Type.Object(
            { url: Type.Optional(Url), events: Type.Optional(Events), state: Type.Optional(State) },
            { ...closed, minProperties: 1, examples: [{ state: 'active' }] },
          ),
          response: { 200: WebhookView },
        },
      },
      (req, reply) =>
        actAfter(
          deps,
          req,
          reply,
          async () => {
            if (req.body.url) await requireCallable(deps, req.body.url)
          },
          async tx => {
            const webhook = await getWebhook(tx, req.params.id, req.caller, { lock: true })
            requireMatch(req, webhook.version)
            return answer(200, await changeWebhook(deps, tx, webhook, req.body, req.caller))
          },
        ),
    )

    api.post(
      '/webhooks/:id/secret',
      {
        config: { allow: KEEPERS, problems: conditional, sends: ['Location', 'ETag'] },
        schema: {
          ...common,
          operationId: 'rotateWebhookSecret',
          summary: 'Replace the secret of a webhook',
          description:
            'For `overlapHours` each attempt is signed with the new secret and with the one before, so that the subscriber switches when it can. Without a `secret`, one is made and shown once.',
          body: Type.Object(
            {
              secret: Type.Optional(Secret),
              overlapHours: Type.Optional(Type.Integer({ minimum: 0, maximum: 168, default: 24 })),
            },
            { ...closed, examples: [{}, { overlapHours: 48 }] },
          ),
          response: { 200: WebhookView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { secret = newSecret(), overlapHours = 24 } = req.body
          const webhook = await getWebhook(tx, req.params.id, req.caller, { lock: true })
          requireMatch(req, webhook.version)
          const changed = await rotateSecret(deps, tx, webhook, { secret, overlapHours }, req.caller)
          return answer(200, changed, req.body.secret ? undefined : secret)
        }),
    )

    api.delete(
      '/webhooks/:id',
      {
        config: { allow: KEEPERS, problems: conditional },
        schema: {
          ...common,
          operationId: 'removeWebhook',
          summary: 'Take a webhook away',
          description: 'With everything that was still to be told there.',
          response: { 204: Type.Null({ description: 'It is gone.' }) },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const webhook = await getWebhook(tx, req.params.id, req.caller, { lock: true })
          requireMatch(req, webhook.version)
          await removeWebhook(deps, tx, webhook, req.caller)
          return { status: 204, headers: {}, body: null }
        }),
    )
  }
