import { type Static, Type } from 'typebox'
import { ACKNOWLEDGE_WITHIN_DAYS, FORWARDING_ALARMS, type Forwarding } from '../domain/forwarding.ts'
import type { Tx } from '../platform/database.ts'
import { addresseeOf } from '../requests/addressee.ts'
import { getRequest } from '../requests/apply-event.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import { identitiesOf } from '../requests/identities.store.ts'
import type { PowerDeps } from '../requests/power.ts'
import { Instant, RightSchema } from '../requests/request-view.ts'

export const FORWARDING_EXAMPLE = {
  id: '019af0c2-9a00-7c3a-9b54-2f60c1a7e8d4',
  controller: 'University of Colombo',
  contact: 'mailto:privacy@university.example',
  datasets: [{ adapter: 'learning', dataset: 'grades', title: 'Grades' }],
  forwardedAt: '2026-11-20T09:13:02.000Z',
  dueOn: '2026-12-20',
  acknowledgedAt: null,
  answeredAt: null,
  alarms: [],
}

const members = {
  id: Type.String({ format: 'uuid' }),
  controller: Type.String(),
  contact: Type.String({ description: 'Where people reach it: https or mailto.' }),
  datasets: Type.Array(Type.Object({ adapter: Type.String(), dataset: Type.String(), title: Type.String() })),
  forwardedAt: Instant,
  dueOn: Type.String({ format: 'date', description: 'The last day of their month, which began when it was forwarded.' }),
  acknowledgedAt: Type.Union([Instant, Type.Null()]),
  answeredAt: Type.Union([Instant, Type.Null()], { description: 'When they said that the person has their answer.' }),
  alarms: Type.Array(Type.Object({ alarm: Type.Enum([...FORWARDING_ALARMS]), at: Instant }), {
    description: `\`unacknowledged\`: no sign of it for ${ACKNOWLEDGE_WITHIN_DAYS} days; \`late\`: their last day is over, and no word of an answer. Of each they were reminded.`,
  }),
}

export const ForwardingView = Type.Object(members, {
  title: 'Forwarding',
  description: 'A part of a request that is for another controller to answer.',
  examples: [FORWARDING_EXAMPLE],
})

export const viewForwarding = ({ requestId: _ours, client: _theirs, ...told }: Forwarding): Static<typeof ForwardingView> => ({
  ...told,
  forwardedAt: told.forwardedAt.toISOString(),
  acknowledgedAt: told.acknowledgedAt?.toISOString() ?? null,
  answeredAt: told.answeredAt?.toISOString() ?? null,
  alarms: told.alarms.map(({ alarm, at }) => ({ alarm, at: at.toISOString() })),
})

const Pair = Type.Object({ type: Type.String(), value: Type.String() })
const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

/** What the other controller needs to answer, and no more. */
export const ForwardedRequest = Type.Object(
  {
    ...members,
    type: RightSchema,
    receivedAt: { ...Instant, description: 'When it reached us.' },
    locale: Type.String(),
    subject: Type.Object({ identities: Type.Array(Pair), contactPoint: Type.Union([Pair, Type.Null()]) }),
    details: Type.Object({
      ground: Type.Optional(Type.String()),
      purposes: Type.Optional(Type.Array(Type.String())),
      cookies: Type.Optional(Type.Array(Type.String())),
      corrections: Type.Optional(
        Type.Array(Type.Object({ dataset: Type.String(), field: Type.String(), from: Type.Optional(Value), to: Value })),
      ),
    }),
  },
  {
    title: 'ForwardedRequest',
    description: 'A request for the controller it was forwarded to.',
    examples: [
      {
        ...FORWARDING_EXAMPLE,
        type: 'access',
        receivedAt: '2026-11-20T03:42:00.000Z',
        locale: 'en',
        subject: {
          identities: [{ type: 'user_id', value: 'u-1029' }],
          contactPoint: { type: 'email', value: 'ana@example.org' },
        },
        details: {},
      },
    ],
  },
)

export interface HandOnDeps extends Omit<PowerDeps, 'vault'>, Omit<DetailsDeps, 'vault'> {
  vault: PowerDeps['vault'] & DetailsDeps['vault']
}

/** Whom it is about is told only as far as it was established, and where the answer goes: what was merely named stays here. */
export async function handOn(deps: HandOnDeps, tx: Tx, forwarding: Forwarding): Promise<Static<typeof ForwardedRequest>> {
  const request = await getRequest(tx, forwarding.requestId)
  if (!request) throw new Error(`Forwarding ${forwarding.id} is of no request.`)
  const { ground, purposes, cookies, corrections } = await detailsOf(deps, tx, request.id)
  const about = corrections?.filter(({ dataset }) => forwarding.datasets.some(one => one.dataset === dataset))
  const identities = (await identitiesOf(deps, tx, request.id)).filter(({ provenance }) => provenance !== 'named')
  const addressee = await addresseeOf(deps, tx, request)
  return {
    ...viewForwarding(forwarding),
    type: request.right,
    receivedAt: request.receivedAt.toISOString(),
    locale: request.locale,
    subject: {
      identities: identities.map(({ type, value }) => ({ type, value })),
      contactPoint: addressee ? { type: 'email', value: addressee.address } : null,
    },
    details: {
      ...(ground && { ground }),
      ...(purposes && { purposes }),
      ...(cookies && { cookies }),
      ...(about && { corrections: about }),
    },
  }
}
