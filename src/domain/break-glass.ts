/** Why contents are opened to one of the staff: a code, because the person is told it. */
export const BREAK_GLASS_REASONS = ['vital_interest', 'security_incident', 'complaint', 'legal_claim', 'faulty_answer'] as const
export type BreakGlassReason = (typeof BREAK_GLASS_REASONS)[number]

/** What can be opened: what was said about a case, and what was collected for it. */
export const CONTENTS = ['details', 'messages', 'decisions', 'package'] as const
export type Contents = (typeof CONTENTS)[number]

const HOUR_MS = 3_600_000
/** So long it stays open, from its approval on. */
export const OPEN_MS = HOUR_MS
/** So long it can be approved: a reason of yesterday is none today. */
export const PROPOSED_MS = 24 * HOUR_MS
