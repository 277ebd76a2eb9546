import { Webhook } from 'standardwebhooks'
import { type Call, callers, until } from './callers.ts'
import { eventually } from './eventually.ts'
import type { Posted, Receiver } from './receiver.ts'
import type { Service } from './service.ts'

export interface Told {
  type: string
  timestamp: string
  data: Record<string, string>
}

export const ALL_EVENTS = [
  'request.opened',
  'request.state_changed',
  'request.completed',
  'request.refused',
  'request.lapsed',
  'request.withdrawn',
  'request.cancelled',
  'request.extended',
  'deadline.approaching',
]

/** A service that is told of its requests. */
export interface Subscriber {
  call: Call
  /** The path of its webhook, and the secret that was shown. */
  at: string
  secret: string
  posted: Posted[]
  /** What was told so far. */
  told(): Told[]
}

export const toldBy = ({ body }: Posted): Told => JSON.parse(body.toString())

/** Whether the official package takes it for signed with a secret. */
export function isSignedWith(secret: string, { body, headers }: Posted): boolean {
  try {
    new Webhook(secret).verify(body.toString(), headers as Record<string, string>)
    return true
  } catch {
    return false
  }
}

export async function subscribe(
  service: Service,
  receiver: Receiver,
  client: string,
  events: readonly string[] = ALL_EVENTS,
): Promise<Subscriber> {
  const scope = 'requests:open requests:read webhooks:write'
  const call = callers(service).service({ sub: client, client_id: client, scope })
  const { status, body } = await call('/v1/webhooks', { body: { url: `${receiver.url}/${client}`, events } })
  if (status !== 201) throw new Error(`It could not subscribe: ${JSON.stringify(body)}`)
  const { posted } = receiver
  return { call, at: `/v1/webhooks/${body.id}`, secret: body.secret, posted, told: () => posted.map(toldBy) }
}

/** A request about somebody whom nobody here knows; it goes on by itself to `verifying`. */
export async function openAbout(call: Call, userId: string): Promise<string> {
  const { status, body } = await call('/v1/requests', {
    body: { type: 'access', subject: { identities: [{ type: 'user_id', value: userId }] } },
  })
  if (status !== 201) throw new Error(`It was not opened: ${JSON.stringify(body)}`)
  return body.id
}

/** Its deliveries, once they are as wanted. */
export const deliveriesOnce = async (
  { call, at }: Pick<Subscriber, 'call' | 'at'>,
  fits: (
    deliveries: {
      state: string
      attempts: number
      lastStatus: number | null
      problem: string | null
      nextAttemptAt: string | null
    }[],
  ) => boolean,
  milliseconds?: number,
) =>
  (
    await until(
      () => call(`${at}/deliveries?limit=100`),
      ({ body }) => fits(body.deliveries),
      milliseconds,
    )
  ).body.deliveries

export const arrivals = (receiver: Pick<Receiver, 'posted'>, count: number) => eventually(() => receiver.posted.length >= count)
