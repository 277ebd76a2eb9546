import type { Day } from './day.ts'
import { type EarlierRequest, type Evidence, faultsOfEvidence } from './excess.ts'
import type { Fault } from './problem.ts'
import type { Right } from './rights.ts'

interface Ground {
  /** The provision that allows it. */
  law: string
  /** Its term in the Data Privacy Vocabulary. */
  dpv: string
  /** The rights it can be held against; absent: all of which anything can be refused. */
  against?: readonly Right[]
  /** It can take parts out of an answer, never the whole of it. */
  partsOnly?: true
  /** The provision of national law has to be named. */
  cited?: true
}

const ERASURE: readonly Right[] = ['erasure', 'under_age_report']

/** Why a right may be refused. What is not listed here is no reason: not the effort, not rudeness, not that a dispute is going on. */
export const REFUSAL_GROUNDS = {
  manifestly_unfounded: { law: 'GDPR Art. 12(5)(b)', dpv: 'ProcessUnfounded' },
  manifestly_excessive: { law: 'GDPR Art. 12(5)(b)', dpv: 'ProcessExcessive' },
  cannot_identify: { law: 'GDPR Art. 11(2)', dpv: 'IdentityVerificationFailure' },
  '17_3_a': { law: 'GDPR Art. 17(3)(a)', dpv: 'FreedomOfExpressionImpaired', against: ERASURE },
  '17_3_b': { law: 'GDPR Art. 17(3)(b)', dpv: 'LegalObligationImpaired', against: ERASURE },
  '17_3_c': { law: 'GDPR Art. 17(3)(c)', dpv: 'PublicHealthCompromised', against: ERASURE },
  '17_3_d': { law: 'GDPR Art. 17(3)(d)', dpv: 'PublicInterestArchivingImpaired', against: ERASURE },
  '17_3_e': { law: 'GDPR Art. 17(3)(e)', dpv: 'LegalClaimImpaired', against: ERASURE },
  rights_of_others: {
    law: 'GDPR Art. 15(4) and 20(4)',
    dpv: 'ThirdPartyRightsImpaired',
    against: ['access', 'portability'],
    partsOnly: true, // recital 63: the result is never that all information is refused
  },
  compelling_grounds: { law: 'GDPR Art. 21(1)', dpv: 'LegitimateInterestOverride', against: ['objection'] },
  member_state_restriction: { law: 'GDPR Art. 23', dpv: 'LegallyExempted', cited: true },
  /** No provision grants what was asked: the data are accurate, no ground of Art. 17(1) or 18(1) applies, nothing rests on consent. */
  not_a_right_under_law: { law: 'GDPR Art. 12(4)', dpv: 'ProcessRejected' },
} as const satisfies Record<string, Ground>

export type RefusalGround = keyof typeof REFUSAL_GROUNDS
export const GROUNDS = Object.keys(REFUSAL_GROUNDS) as RefusalGround[]

/** What can be refused of a request while the rest of it is carried out. */
export interface Parts {
  categories?: string[]
  datasets?: { adapter: string; dataset: string }[]
  /** Of an objection or a withdrawal of consent. */
  purposes?: string[]
}

export interface Refusal {
  ground: RefusalGround
  /** To the person, in their words' language. */
  reasons: string
  /** The provision of national law relied upon. */
  citation?: string
  evidence?: Evidence
  /** Absent: all of it. */
  parts?: Parts
}

/** What a refusal must tell besides its reasons (GDPR Art. 12(4)); taken from the privacy policy, so that nobody can leave it out. */
export interface Remedies {
  complaint: { law: 'GDPR Art. 77'; authority: string; url: string }
  judicial: { law: 'GDPR Art. 79' }
}

export const remediesOf = ({ name, url }: { name: string; url: string }): Remedies => ({
  complaint: { law: 'GDPR Art. 77', authority: name, url },
  judicial: { law: 'GDPR Art. 79' },
})

/** What is known of a request that bears on whether it may be refused. */
export interface RefusedRequest {
  right: Right
  receivedOn: Day
  /** What it objects to, or withdraws consent to. */
  purposes: readonly string[]
  /** The kinds of cookies that it withdraws consent to. */
  cookies?: readonly string[]
  /** Answered requests of the same person for the same right that came before this one. */
  earlier: readonly EarlierRequest[]
}

/** All that keeps a refusal from being lawful; nothing where it may be saved. Pointers lead into the refusal. */
export function faultsOfRefusal(refusal: Refusal, request: RefusedRequest): Fault[] {
  const { ground, reasons, citation, evidence, parts } = refusal
  const { law, against, partsOnly, cited }: Ground = REFUSAL_GROUNDS[ground]
  const at = (pointer: string, detail: string): Fault => ({ pointer, detail })
  const faults: Fault[] = []
  if (refusesMarketing(request, parts))
    faults.push(at('/kind', 'Nobody may say no to an objection to direct marketing (GDPR Art. 21(3)).'))
  if (request.right === 'consent_withdrawal' && !['cannot_identify', 'not_a_right_under_law'].includes(ground))
    faults.push(at('/ground', 'Consent can be withdrawn at any time (GDPR Art. 7(3)); Art. 12(5) and 23 do not reach it.'))
  if (against && !against.includes(request.right)) faults.push(at('/ground', `${law} is not about this right.`))
  if (partsOnly && !parts)
    faults.push(at('/ground', 'It can take parts out of an answer, never the whole: refuse these in part.'))
  if (cited && !citation?.trim())
    faults.push(at('/citation', `Name the provision of national law: ${law} alone restricts nothing.`))
  if (!reasons.trim()) faults.push(at('/reasons', 'Say why, to the person (GDPR Art. 12(4)).'))
  if (parts) faults.push(...faultsOfParts(request, parts))
  return [...faults, ...faultsOfEvidence(ground, evidence, request)]
}

/** Direct marketing: absolute, without any balancing and without any way to refuse (GDPR Art. 21(2)-(3)). */
function refusesMarketing({ right, purposes }: RefusedRequest, parts?: Parts): boolean {
  if (right === 'marketing_opt_out') return true
  return right === 'objection' && (parts?.purposes ?? (parts ? [] : purposes)).includes('marketing')
}

export const ALL_OF_IT = 'That is all of it: refuse the whole.'

/** An objection is to purposes, whatever the data; everything else is about data. */
function faultsOfParts({ right, purposes: asked, cookies = [] }: RefusedRequest, parts: Parts): Fault[] {
  const { categories = [], datasets = [], purposes = [] } = parts
  const data = categories.length + datasets.length
  const isAboutPurposes = right === 'objection' || right === 'consent_withdrawal'
  if (isAboutPurposes ? data > 0 : purposes.length > 0)
    return [{ pointer: '/parts', detail: 'Refuse purposes of an objection or withdrawal, and data of anything else.' }]
  if (data + purposes.length === 0) return [{ pointer: '/parts', detail: 'Name what is refused; the rest is carried out.' }]
  if (isAboutPurposes && cookies.length === 0 && asked.every(purpose => purposes.includes(purpose)))
    return [{ pointer: '/parts/purposes', detail: ALL_OF_IT }]
  const unasked = purposes.findIndex(purpose => !asked.includes(purpose))
  return unasked < 0 ? [] : [{ pointer: `/parts/purposes/${unasked}`, detail: 'The request is not about this purpose.' }]
}

/** The ground on which a dataset was refused, by its own name or by its category; undefined where it was not. */
export const groundAgainst = (
  refused: readonly { ground: RefusalGround; parts: Parts }[],
  { adapter, dataset, category }: { adapter: string; dataset: string; category: string },
): RefusalGround | undefined =>
  refused.find(
    ({ parts: { categories = [], datasets = [] } }) =>
      categories.includes(category) || datasets.some(one => one.adapter === adapter && one.dataset === dataset),
  )?.ground
