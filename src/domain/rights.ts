interface RightFacts {
  /** Of the GDPR, where it grants the right; of the policy otherwise. */
  article: string
  /** What the person has in hand at the end. */
  delivers: 'package' | 'letter'
  /** Where time passes between the decision and carrying it out, so that whoever did not ask can still object. */
  coolsOff?: true
  /** What only a person can answer: nobody is asked for data. */
  decidedByPeople?: true
}

/** The rights that the privacy policy promises, and what each comes to. */
export const RIGHTS = {
  access: { article: '15', delivers: 'package' },
  portability: { article: '20', delivers: 'package' },
  rectification: { article: '16', delivers: 'letter' },
  erasure: { article: '17', delivers: 'letter', coolsOff: true },
  restriction: { article: '18', delivers: 'letter' },
  objection: { article: '21', delivers: 'letter' },
  consent_withdrawal: { article: '7(3)', delivers: 'letter' },
  marketing_opt_out: { article: '21(2)', delivers: 'letter' },
  automated_decision_review: { article: '22(3)', delivers: 'letter', decidedByPeople: true },
  under_age_report: { article: '8', delivers: 'letter', coolsOff: true },
  inquiry: { article: '12', delivers: 'letter', decidedByPeople: true },
} as const satisfies Record<string, RightFacts>

export type Right = keyof typeof RIGHTS
/** The rights that end with data in the person's hands. */
export type PackagedRight = { [R in Right]: (typeof RIGHTS)[R]['delivers'] extends 'package' ? R : never }[Right]

export const isPackaged = (right: Right): right is PackagedRight => RIGHTS[right].delivers === 'package'
export const rightFacts = (right: Right): RightFacts => RIGHTS[right]

/** How a dataset came to be held; it decides portability. */
export type Origin = 'provided' | 'observed' | 'derived' | 'third_party'

/**
 * Art. 20(1): portable are the data that the person provided, in the wide sense that includes what
 * was observed of them, and only where processing rests on consent or on a contract. Inferred data never are.
 */
export function isPortable(dataset: { origin: Origin; legalBases: readonly string[] }): boolean {
  return (
    (dataset.origin === 'provided' || dataset.origin === 'observed') &&
    dataset.legalBases.some(basis => basis === 'consent' || basis === 'contract')
  )
}
