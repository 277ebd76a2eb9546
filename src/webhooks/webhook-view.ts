import { type Static, Type } from 'typebox'
import { DELIVERY_STATES, type Delivery } from './deliveries.store.ts'
import { WEBHOOK_EVENTS } from './webhook-events.ts'
import { WEBHOOK_STATES, type Webhook } from './webhooks.store.ts'

const Instant = Type.String({ format: 'date-time' })
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) => ({
  ...Type.Union([schema, Type.Null()]),
  description,
})
const instant = (at: Date | null): string | null => at?.toISOString() ?? null

export const Url = Type.String({ format: 'uri', maxLength: 500, description: 'Public https, or among the allowed hosts.' })
export const Events = Type.Array(Type.Enum([...WEBHOOK_EVENTS]), {
  minItems: 1,
  uniqueItems: true,
  description: 'Every change of state is `request.state_changed`; one that ends a request has a name of its own as well.',
})
export const State = Type.Enum([...WEBHOOK_STATES])

export const WEBHOOK_EXAMPLE = {
  id: '019af0c1-4a00-7c3a-9b54-2f60c1a7e8d4',
  owner: 'https://id.almastack.example/services|crm',
  url: 'https://crm.example/hooks/privacy',
  events: ['request.completed', 'request.refused', 'deadline.approaching'],
  secret: '***',
  state: 'active',
  disabledBecause: null,
  failingSince: null,
  bothUntil: null,
  createdAt: '2026-11-01T08:00:00.000Z',
  changedAt: '2026-11-01T08:00:00.000Z',
}

export const WebhookView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    owner: Type.String({ description: 'The service that is told.' }),
    url: Type.String(),
    events: Type.Array(Type.Enum([...WEBHOOK_EVENTS])),
    secret: Type.String({ description: '`***`, but where the service has just made it: there it is shown once.' }),
    state: State,
    disabledBecause: OrNull(Type.Enum(['switched_off', 'gone']), '`gone`: the subscriber answered 410.'),
    failingSince: OrNull(Instant, 'A delivery was given up, and none has arrived since.'),
    bothUntil: OrNull(Instant, 'Until then the secret before this one signs as well.'),
    createdAt: Instant,
    changedAt: Instant,
  },
  { title: 'Webhook', description: 'Where a service is told what happens to its requests.', examples: [WEBHOOK_EXAMPLE] },
)

export const viewWebhook = ({ version: _, ...webhook }: Webhook, secret = '***'): Static<typeof WebhookView> => ({
  ...webhook,
  secret,
  failingSince: instant(webhook.failingSince),
  bothUntil: instant(webhook.bothUntil),
  createdAt: webhook.createdAt.toISOString(),
  changedAt: webhook.changedAt.toISOString(),
})

export const DeliveryState = Type.Enum([...DELIVERY_STATES])

export const DELIVERY_EXAMPLE = {
  id: '5f0c1f6e-52a5-4c0d-8f38-1f6a4f6e2b11',
  type: 'request.completed',
  requestId: '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4',
  occurredAt: '2026-11-20T03:42:00.000Z',
  state: 'queued',
  attempts: 2,
  lastStatus: 503,
  problem: 'status',
  nextAttemptAt: '2026-11-20T03:47:05.000Z',
}

export const DeliveryView = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'The `webhook-id` of every attempt.' }),
    type: Type.Enum([...WEBHOOK_EVENTS]),
    requestId: Type.String({ format: 'uuid' }),
    occurredAt: Instant,
    state: DeliveryState,
    attempts: Type.Integer(),
    lastStatus: OrNull(Type.Integer(), 'What the last attempt was answered; nothing where no answer came.'),
    problem: OrNull(
      Type.String(),
      '`status`: another than 2xx; `disabled`: switched off meanwhile; otherwise why no answer came.',
    ),
    nextAttemptAt: OrNull(Instant, 'Only for what is queued.'),
  },
  { title: 'Delivery', description: 'One event that one webhook is told.', examples: [DELIVERY_EXAMPLE] },
)

export function viewDelivery({
  webhookId: _,
  data: __,
  tries: ___,
  dueAt,
  occurredAt,
  ...delivery
}: Delivery): Static<typeof DeliveryView> {
  const nextAttemptAt = delivery.state === 'queued' ? dueAt.toISOString() : null
  return { ...delivery, occurredAt: occurredAt.toISOString(), nextAttemptAt }
}
