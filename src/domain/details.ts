import type { Right } from './rights.ts'

/** A value as it stands in a record: what JSON has that is no object. */
export type Value = string | number | boolean | null

/** One correction asked for (Art. 16): what is written where, and what should be. */
export interface Correction {
  dataset: string
  field: string
  /** What stands there now: a record with another value is left alone. */
  from: Value
  to: Value
}

/** Grounds for erasure, Art. 17(1)(a) to (f). People need not know any: without one, (a) is taken, no longer necessary. */
export const ERASURE_GROUNDS = ['17_1_a', '17_1_b', '17_1_c', '17_1_d', '17_1_e', '17_1_f'] as const
/** Grounds for restriction, Art. 18(1)(a) to (d). */
export const RESTRICTION_GROUNDS = ['18_1_a', '18_1_b', '18_1_c', '18_1_d'] as const
export const COOKIES = ['analytics', 'functional', 'marketing'] as const

/** The particulars of a right. What they say is personal, and kept sealed. */
export interface Details {
  corrections?: Correction[]
  ground?: (typeof ERASURE_GROUNDS)[number] | (typeof RESTRICTION_GROUNDS)[number]
  /** The restriction that is to be lifted: a request of that right. */
  lifts?: string
  purposes?: string[]
  cookies?: (typeof COOKIES)[number][]
  /** Why the person objects: what is weighed against the grounds for going on (Art. 21(1)). */
  reasons?: string
  /** The automated decision that is contested, and the person's own view of it (Art. 22(3)). */
  decision?: string
  view?: string
  message?: string
  /** The other controller that the copy is also sent to directly (Art. 20(2)), by the id that the operator has given it. */
  transmitTo?: string
}

/** What each right may be told, and what it must be. */
export const DETAILS_OF: Record<Right, { may: readonly (keyof Details)[]; oneOf?: readonly (keyof Details)[] }> = {
  access: { may: [] },
  portability: { may: ['transmitTo'] },
  rectification: { may: ['corrections'], oneOf: ['corrections'] },
  erasure: { may: ['ground'] },
  restriction: { may: ['ground', 'lifts'] },
  objection: { may: ['purposes', 'reasons'], oneOf: ['purposes'] },
  consent_withdrawal: { may: ['purposes', 'cookies'], oneOf: ['purposes', 'cookies'] },
  marketing_opt_out: { may: [] },
  automated_decision_review: { may: ['decision', 'view'], oneOf: ['decision'] },
  under_age_report: { may: [] },
  inquiry: { may: ['message'], oneOf: ['message'] },
}

/** Whether an objection is to direct marketing, which is never weighed, and to something that is. */
export const splitsOff = (right: Right, { purposes = [] }: Details): boolean =>
  right === 'objection' && purposes.includes('marketing') && purposes.length > 1

/**
 * Whether nobody may weigh anything: direct marketing ends when the person says so (Art. 21(2) and (3)).
 */
export const isAbsolute = (right: Right, { purposes = [] }: Details): boolean =>
  right !== 'objection' || purposes.every(purpose => purpose === 'marketing')
