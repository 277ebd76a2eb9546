import type { PackagedRight } from './rights.ts'

/** Why something is kept from the person whose request is answered. Trade secrets are among the rights of others (recital 63). */
export const WITHHOLDING_REASONS = ['rights_of_others', 'staff_identity', 'trade_secret'] as const
export type WithholdingReason = (typeof WITHHOLDING_REASONS)[number]

/** What stands in place of a value that is withheld. */
export const MARKER = '[withheld: rights of others]'

/** One line of the log that the person sees: what was withheld, how often, and by which rule of the policy. Never a value. */
export interface Withheld {
  dataset: string
  /** Where it is missing: all records and files of the dataset. */
  field?: string
  /** In how many records (and files) something was withheld. */
  records: number
  rule: string
  reason: WithholdingReason
  /** The rule in the policy's words, as they were then. */
  says: string
}

/** Where the rights of others bound this right. */
export const OTHERS_ARTICLE: Record<PackagedRight, string> = { access: '15(4)', portability: '20(4)' }
