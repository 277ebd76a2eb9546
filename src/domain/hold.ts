/** Why data must be kept although somebody asks for their erasure (Art. 17(3)(b) and (e)). */
export const HOLD_REASONS = ['litigation', 'investigation', 'regulator_order', 'tax_audit'] as const
export type HoldReason = (typeof HOLD_REASONS)[number]

export const RELEASE_REASONS = ['matter_ended', 'order_lifted', 'placed_by_mistake'] as const
export type ReleaseReason = (typeof RELEASE_REASONS)[number]

export const HOLD_STATES = ['proposed', 'active', 'releasing', 'released', 'lapsed'] as const
export type HoldState = (typeof HOLD_STATES)[number]

/** What one person proposes, to hold or to release, waits so long for a second one and is void afterwards. */
export const PROPOSAL_STANDS_MS = 72 * 3_600_000

/**
 * A hold stops erasure from its proposal on, because what is gone cannot be held any more; but one person alone stops it for
 * 72 hours at most. It goes on holding while its release is merely proposed.
 */
export function holdState(
  hold: { proposedAt: Date; approvedAt: Date | null; releaseProposedAt: Date | null; releasedAt: Date | null },
  now: Date,
): HoldState {
  const stands = (proposedAt: Date) => now.getTime() < proposedAt.getTime() + PROPOSAL_STANDS_MS
  if (hold.releasedAt) return 'released'
  if (!hold.approvedAt) return stands(hold.proposedAt) ? 'proposed' : 'lapsed'
  return hold.releaseProposedAt && stands(hold.releaseProposedAt) ? 'releasing' : 'active'
}
