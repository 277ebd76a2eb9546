import type { Day } from './day.ts'

/** Who may act for a data subject (EDPB Guidelines 01/2022, 80 and 81; for heirs such as Sri Lanka's PDPA, s. 17(5)). */
export const REPRESENTATIVES = ['authorized_agent', 'parent_or_guardian', 'court_appointed', 'heir'] as const
export type Representative = (typeof REPRESENTATIVES)[number]

export const isRepresentative = (relationship: string): relationship is Representative =>
  REPRESENTATIVES.some(one => one === relationship)

/** What shows a power, by whose it is. That it was seen is kept, and its hash; never the document. */
export const EVIDENCE = {
  authorized_agent: ['written_authority', 'power_of_attorney'],
  parent_or_guardian: ['birth_certificate', 'adoption_order', 'custody_order'],
  court_appointed: ['court_order'],
  heir: ['certificate_of_inheritance', 'probate', 'proof_of_kinship'],
} as const satisfies Record<Representative, readonly string[]>
export type Evidence = (typeof EVIDENCE)[Representative][number]

/**
 * What the data subject has to say to it: `decides` shows who they are as if nobody acted for them, `agrees` shows control of an
 * address of their own, and `told` is written to but need not answer.
 */
export const VOICES = ['decides', 'agrees', 'told'] as const
export type Voice = (typeof VOICES)[number]

/** Ages in the child's country. */
export interface Ages {
  /** From here on a child is asked. */
  ownVoice: number
  /** From here on a child decides alone about an online service (Art. 8(1) GDPR; COPPA). */
  consent: number
  adult: number
}

/** The voice of a person for whom somebody acts; undefined for an adult, who has no parents in this. `age`: of whoever has parents. */
export function voiceOf(representative: Representative, age: number, { ownVoice, consent, adult }: Ages): Voice | undefined {
  if (representative === 'authorized_agent') return 'decides'
  if (representative !== 'parent_or_guardian') return 'told'
  if (age >= adult) return undefined
  return age >= consent ? 'decides' : age >= ownVoice ? 'agrees' : 'told'
}

/** Full years from one day to another; whoever was born on 29 February is a year older on 1 March. */
export function yearsBetween(from: Day, to: Day): number {
  const years = Number(to.slice(0, 4)) - Number(from.slice(0, 4))
  return to.slice(5) < from.slice(5) ? years - 1 : years
}

/** Why a power is none any more: it was taken back, it was never one, or what it was given for is over. */
export const MANDATE_REVOCATIONS = ['taken_back', 'found_false', 'over'] as const
export type MandateRevocation = (typeof MANDATE_REVOCATIONS)[number]

export const MANDATE_REFUSALS = ['wrong_person', 'does_not_cover_it', 'incomplete', 'not_legible', 'not_verified'] as const
export type MandateRefusal = (typeof MANDATE_REFUSALS)[number]
