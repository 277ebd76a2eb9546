import type { Caller, Role } from '../auth/caller.ts'
import type { Details } from '../domain/details.ts'

const OFFICES: readonly Role[] = ['privacy_officer', 'dpo']

/** Whether somebody of the staff decides on requests, and so reads what there is to decide on. */
export const isOfficer = (caller: Caller): boolean =>
  caller.kind === 'support_agent' && OFFICES.some(role => caller.roles.has(role))

/**
 * Whether a caller who sees a case also reads what was said in it. Support agents work blind: they see where it stands, how much of
 * what there is and until when, never a value or a word of it. A service and a person read what is theirs.
 */
export const readsContents = (caller: Caller): boolean => caller.kind !== 'support_agent' || isOfficer(caller)

/** Particulars without their values and words: codes, names of datasets and fields, and in `hidden` what else was said. */
export type BlindDetails = Omit<Details, 'corrections' | (typeof WORDS)[number]> & {
  corrections?: { dataset: string; field: string }[]
  hidden: string[]
}

const WORDS = ['reasons', 'decision', 'view', 'message'] as const

export function blindDetails({ corrections, reasons, decision, view, message, ...codes }: Details): BlindDetails {
  const said = { corrections, reasons, decision, view, message }
  const hidden = Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  return { ...codes, ...(corrections && { corrections: corrections.map(({ dataset, field }) => ({ dataset, field })) }), hidden }
}
