import { type Static, Type } from 'typebox'
import type { Mandate } from '../domain/mandate.ts'
import { MANDATE_REFUSALS, REPRESENTATIVES, type Representative, VOICES } from '../domain/representation.ts'
import { Instant, masked, RightSchema } from '../requests/request-view.ts'
import type { Requester } from '../requests/requester.store.ts'
import { DayText, EvidenceSchema, SEEN, Sha256 } from './mandate-body.ts'

const closed = { additionalProperties: false } as const
const Decision = { by: Type.String({ description: 'Issuer and subject of the member of staff.' }), at: Instant }

const EXAMPLE = {
  id: '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d6',
  state: 'approved',
  ...SEEN,
  voice: 'decides',
  delivery: 'subject',
  reference: 'ZD-5531',
  proposed: { by: 'https://id.almastack.example/staff|agent-7', at: '2026-11-20T09:12:00.000Z' },
  decided: { by: 'https://id.almastack.example/staff|officer-1', at: '2026-11-20T10:40:00.000Z' },
} as const

export const MandateView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    state: Type.Enum(['proposed', 'approved', 'refused', 'revoked']),
    evidence: EvidenceSchema,
    documentSha256: Sha256,
    seenOn: DayText,
    validUntil: Type.Optional(DayText),
    covers: Type.Optional(Type.Array(RightSchema, { description: 'Every right where it is missing.' })),
    voice: Type.Enum([...VOICES], {
      description:
        '`decides`: the person proves who they are; `agrees`: they confirm from an address of theirs; `told`: they are written to.',
    }),
    delivery: Type.Enum(['subject', 'subject_may_allow', 'requester'], { description: 'Where the answer goes.' }),
    reference: Type.Optional(Type.String()),
    proposed: Type.Object(Decision, closed),
    decided: Type.Optional(Type.Object({ ...Decision, reason: Type.Optional(Type.Enum([...MANDATE_REFUSALS])) }, closed)),
    revoked: Type.Optional(Type.Object(Decision, closed)),
  },
  { ...closed, description: 'The mandate as it stands.', examples: [EXAMPLE] },
)

export const MandateList = Type.Object(
  {
    requester: Type.Object(
      {
        relationship: Type.Enum([...REPRESENTATIVES]),
        name: Type.Optional(Type.String({ description: 'To be held against the document.' })),
        email: Type.Optional(Type.String({ description: 'Masked.' })),
        reached: Type.Boolean({ description: 'Whether they showed that the address is theirs.' }),
        deliveryAllowed: Type.Boolean({ description: 'Whether the person wants the answer to go to them.' }),
      },
      closed,
    ),
    mandates: Type.Array(MandateView),
  },
  {
    ...closed,
    description: 'Who acts for the person, and what they showed, the oldest first.',
    examples: [
      {
        requester: {
          relationship: 'authorized_agent',
          name: 'Marta Lind',
          email: 'm…@l….org',
          reached: false,
          deliveryAllowed: false,
        },
        mandates: [EXAMPLE],
      },
    ],
  },
)

export function viewMandate(mandate: Mandate): Static<typeof MandateView> {
  const {
    id,
    evidence,
    documentSha256,
    seenOn,
    validUntil,
    covers,
    voice,
    delivery,
    reference,
    decidedBy,
    decidedAt,
    reason,
    revokedBy,
    revokedAt,
  } = mandate
  return {
    id,
    state: revokedAt ? 'revoked' : (mandate.decision ?? 'proposed'),
    ...{ evidence, documentSha256, seenOn },
    ...(validUntil && { validUntil }),
    ...(covers && { covers }),
    ...{ voice, delivery },
    ...(reference !== null && { reference }),
    proposed: { by: mandate.proposedBy, at: mandate.proposedAt.toISOString() },
    ...(decidedBy && decidedAt && { decided: { by: decidedBy, at: decidedAt.toISOString(), ...(reason && { reason }) } }),
    ...(revokedBy && revokedAt && { revoked: { by: revokedBy, at: revokedAt.toISOString() } }),
  }
}

/** `requester` is undefined once the person was forgotten, and whoever acted for them with them. */
export const viewRequester = (relationship: Representative, requester: Requester | undefined) => ({
  relationship,
  ...(requester && { name: requester.name, email: masked('email', requester.email) }),
  reached: Boolean(requester?.provenAt),
  deliveryAllowed: Boolean(requester?.deliveryAgreedAt),
})
