import { type Static, Type } from 'typebox'
import { HOLD_REASONS, HOLD_STATES, holdState, RELEASE_REASONS } from '../domain/hold.ts'
import { Instant } from '../requests/request-view.ts'
import type { Hold } from './holds.store.ts'

const closed = { additionalProperties: false } as const

const Decision = { by: Type.String({ description: 'Issuer and subject of the member of staff.' }), at: Instant }

export const HOLD_EXAMPLE = {
  id: '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4',
  state: 'active',
  reason: 'litigation',
  reference: 'LIT-2026-014',
  identityTypes: ['email', 'user_id'],
  proposed: { by: 'https://id.almastack.example/staff|officer-1', at: '2026-11-20T09:12:00.000Z' },
  approved: { by: 'https://id.almastack.example/staff|dpo-1', at: '2026-11-20T10:40:00.000Z' },
}

export const HoldView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    state: Type.Enum([...HOLD_STATES], {
      description:
        'What is `proposed`, `active` or `releasing` holds. A proposal, to hold or to release, is void when nobody approved it for 72 hours.',
    }),
    reason: Type.Enum([...HOLD_REASONS]),
    reference: Type.String(),
    note: Type.Optional(Type.String()),
    identityTypes: Type.Array(Type.String(), { description: 'Of what kind the identities are; they cannot be read back.' }),
    proposed: Type.Object(Decision, closed),
    approved: Type.Optional(Type.Object(Decision, closed)),
    release: Type.Optional(
      Type.Object(
        {
          reason: Type.Enum([...RELEASE_REASONS]),
          proposed: Type.Object(Decision, closed),
          approved: Type.Optional(Type.Object(Decision, closed)),
        },
        { ...closed, description: 'The latest proposal to end it, where there is one.' },
      ),
    ),
  },
  { ...closed, description: 'The legal hold as it stands.', examples: [HOLD_EXAMPLE] },
)
type HoldView = Static<typeof HoldView>

export function viewHold(hold: Hold, now: Date): HoldView {
  const { id, reason, reference, note, identityTypes, releaseReason } = hold
  const approved = decision(hold.approvedBy, hold.approvedAt)
  const releaseProposed = decision(hold.releaseProposedBy, hold.releaseProposedAt)
  const released = decision(hold.releasedBy, hold.releasedAt)
  return {
    id,
    state: holdState(hold, now),
    reason,
    reference,
    ...(note !== null && { note }),
    identityTypes,
    proposed: { by: hold.proposedBy, at: hold.proposedAt.toISOString() },
    ...(approved && { approved }),
    ...(releaseReason &&
      releaseProposed && {
        release: { reason: releaseReason, proposed: releaseProposed, ...(released && { approved: released }) },
      }),
  }
}

const decision = (by: string | null, at: Date | null) => (by !== null && at !== null ? { by, at: at.toISOString() } : undefined)
