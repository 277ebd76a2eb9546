import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import { Problem } from '../domain/problem.ts'
import { decodeCursor, encodeCursor, nextLink } from '../platform/cursor.ts'
import type { Database } from '../platform/database.ts'
import { instantOf } from '../requests/request-bodies.ts'
import { deliveriesOf, deliveryOf } from './deliveries.store.ts'
import { type KeepDeps, replayDeliveries } from './keep-webhooks.ts'
import { DELIVERY_EXAMPLE, DeliveryState, DeliveryView, viewDelivery } from './webhook-view.ts'
import { getWebhook } from './webhooks.store.ts'

export interface DeliveryRoutesDeps extends KeepDeps, Database {}

const closed = { additionalProperties: false } as const
const KEEPERS = { service: 'webhooks:write', support_agent: ['operator'] } as const
const Id = Type.String({ format: 'uuid' })
/** The database's calendar has no year 0. */
const Moment = Type.String({ format: 'date-time', pattern: '^(?!0000)' })
const Cursor = Type.Object({ occurredAt: Moment, id: Id })

/** What a webhook was told, and telling it again. */
export const deliveryRoutes =
  (deps: DeliveryRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/webhooks/:id/deliveries',
      {
        config: { allow: KEEPERS, problems: ['not_found'], sends: ['Link'] },
        schema: {
          operationId: 'listDeliveries',
          tags: ['webhooks'],
          summary: 'What a webhook was told, the latest first',
          description: 'For 30 days after it was delivered or given up.',
          params: Type.Object({ id: Id }),
          querystring: Type.Object(
            {
              state: Type.Optional(DeliveryState),
              cursor: Type.Optional(Type.String({ maxLength: 1000 })),
              limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })),
            },
            closed,
          ),
          response: {
            200: Type.Object(
              { deliveries: Type.Array(DeliveryView), next: Type.Optional(Type.String()) },
              {
                description: 'A page of deliveries; `next` is the cursor of the page after it.',
                examples: [{ deliveries: [DELIVERY_EXAMPLE] }],
              },
            ),
          },
        },
      },
      async (req, reply) => {
        const { state, cursor, limit = 25 } = req.query
        const { id } = await getWebhook(deps.read, req.params.id, req.caller)
        const after = cursor === undefined ? undefined : decodeCursor(Cursor, cursor)
        const found = await deliveriesOf(deps.read, id, { ...(state && { state }), ...(after && { after }), limit: limit + 1 })
        const deliveries = found.slice(0, limit).map(viewDelivery)
        const last = deliveries.at(-1)
        if (found.length <= limit || !last) return { deliveries }
        const next = encodeCursor({ occurredAt: last.occurredAt, id: last.id })
        reply.header('link', nextLink(req.url, next))
        return { deliveries, next }
      },
    )

    api.post(
      '/webhooks/:id/deliveries/:delivery/replay',
      {
        config: { allow: KEEPERS, problems: ['not_found', 'unprocessable', 'key_reused', 'in_progress'] },
        schema: {
          operationId: 'replayDelivery',
          tags: ['webhooks'],
          summary: 'Tell a webhook something again',
          description: 'At once, under the same `webhook-id`, with all attempts before it.',
          params: Type.Object({ id: Id, delivery: Id }),
          response: { 200: DeliveryView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const webhook = await getWebhook(tx, req.params.id, req.caller, { lock: true })
          await replayDeliveries(deps, tx, webhook, { delivery: req.params.delivery }, req.caller)
          const delivery = await deliveryOf(tx, webhook.id, req.params.delivery)
          if (!delivery) throw new Problem('not_found')
          return { status: 200, headers: {}, body: viewDelivery(delivery) }
        }),
    )

    api.post(
      '/webhooks/:id/replay',
      {
        config: { allow: KEEPERS, problems: ['not_found', 'unprocessable', 'key_reused', 'in_progress'] },
        schema: {
          operationId: 'replaySince',
          tags: ['webhooks'],
          summary: 'Tell a webhook everything again since a moment',
          description: 'Each under the same `webhook-id` as before. What is forgotten (30 days) is not told again.',
          params: Type.Object({ id: Id }),
          body: Type.Object({ since: Moment }, { ...closed, examples: [{ since: '2026-11-20T00:00:00Z' }] }),
          response: {
            200: Type.Object(
              { deliveries: Type.Integer() },
              { description: 'How many are told again.', examples: [{ deliveries: 12 }] },
            ),
          },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const webhook = await getWebhook(tx, req.params.id, req.caller, { lock: true })
          const since = instantOf(req.body.since, '/since')
          const deliveries = await replayDeliveries(deps, tx, webhook, { since }, req.caller)
          return { status: 200, headers: {}, body: { deliveries } }
        }),
    )
  }
