import type { Day } from './day.ts'
import type { PauseReason } from './ledger.ts'
import type { Period } from './period.ts'

/** One rule of law on time, in one version. */
export interface Regulation {
  id: 'promise' | 'eu_gdpr' | 'uk_gdpr' | 'us_ca_confirmation' | 'us_ca_ccpa' | 'br_lgpd' | 'lk_pdpa'
  title: string
  citation: string
  /** ISO 3166 code of the country or region whose people it protects. */
  protects: 'everyone' | 'GB' | 'US-CA' | 'BR' | 'LK'
  /** The version that counts is the one valid on the day of receipt. One without a date yet is shown, but binds nobody. */
  validFrom: Day | 'always' | 'no date yet'
  validUntil?: Day
  /** What is owed by the due day: the answer, or only word that the request has arrived. */
  owes: 'answer' | 'confirmation'
  /** Counted from receipt. Where several are promised, the one that ends first counts. */
  within: readonly Period[]
  /** In total, counted from receipt; it must be announced within the first period. */
  extendable?: { to: Period; citation: string }
  /** Whether waiting takes days out of the count, or the count only starts when the waiting is over. */
  standsStill?: { citation: string; during: Partial<Record<PauseReason, 'days do not count' | 'starts when answered'>> }
  /** The rule, if there is one, that moves a due day from a weekend or holiday to the next working day. */
  rollsOver?: string
  note?: string
}

/** GDPR Art. 99(2). */
export const GDPR_APPLIES_FROM: Day = '2018-05-25'

const REGULATIONS: readonly Regulation[] = [
  {
    id: 'promise',
    title: 'Our own promise',
    citation: 'Almastack privacy policy 8.3',
    protects: 'everyone',
    validFrom: 'always',
    owes: 'answer',
    within: [{ days: 30 }, { months: 1 }],
    note: 'Thirty days are more than a month in February: never later than the month the law allows. No extension and no pause was promised.',
  },
  {
    id: 'eu_gdpr',
    title: 'European Union',
    citation: 'GDPR Art. 12(3)',
    protects: 'everyone', // policy 8.2 gives rights to all users; all get the widest
    validFrom: GDPR_APPLIES_FROM,
    owes: 'answer',
    within: [{ months: 1 }],
    extendable: { to: { months: 3 }, citation: 'GDPR Art. 12(3), second sentence' },
    standsStill: {
      citation: 'EDPB Guidelines 01/2022 §159 ("may")',
      during: { clarification: 'days do not count', identity: 'days do not count' },
    },
    rollsOver: 'Reg. 1182/71 Art. 3(4)',
  },
  {
    id: 'uk_gdpr',
    title: 'United Kingdom, until 4 February 2026',
    citation: 'UK GDPR Art. 12(3)',
    protects: 'GB',
    validFrom: '2021-01-01',
    validUntil: '2026-02-04',
    owes: 'answer',
    within: [{ months: 1 }],
    extendable: { to: { months: 3 }, citation: 'UK GDPR Art. 12(3), second sentence' },
    standsStill: {
      citation: 'ICO, right of access guidance',
      during: { clarification: 'days do not count', identity: 'starts when answered', fee: 'starts when answered' },
    },
    rollsOver: 'ICO, right of access guidance',
  },
  {
    id: 'uk_gdpr',
    title: 'United Kingdom',
    citation: 'UK GDPR Art. 12A',
    protects: 'GB',
    validFrom: '2026-02-05', // SI 2026/82 reg. 2(h)
    owes: 'answer',
    within: [{ months: 1 }],
    extendable: { to: { months: 3 }, citation: 'UK GDPR Art. 12A' },
    standsStill: {
      citation: 'UK GDPR Art. 12A',
      during: { clarification: 'days do not count', identity: 'starts when answered', fee: 'starts when answered' },
    },
    rollsOver: 'ICO, right of access guidance',
  },
  {
    id: 'us_ca_confirmation',
    title: 'California, confirmation of receipt',
    citation: 'CCPA Regulations § 7021(a)',
    protects: 'US-CA',
    validFrom: '2020-08-14',
    owes: 'confirmation',
    within: [{ workingDays: 10 }],
  },
  {
    id: 'us_ca_ccpa',
    title: 'California',
    citation: 'CCPA Regulations § 7021(b)',
    protects: 'US-CA',
    validFrom: '2020-08-14',
    owes: 'answer',
    within: [{ days: 45 }],
    extendable: { to: { days: 90 }, citation: 'CCPA Regulations § 7021(b)' },
    note: 'Runs from receipt regardless of the time needed to verify the request.',
  },
  {
    id: 'br_lgpd',
    title: 'Brazil',
    citation: 'LGPD Art. 19, II',
    protects: 'BR',
    validFrom: '2020-09-18',
    owes: 'answer',
    within: [{ days: 15 }],
  },
  {
    id: 'lk_pdpa',
    title: 'Sri Lanka',
    citation: 'PDPA 9/2022 s. 17(1)',
    protects: 'LK',
    validFrom: 'no date yet', // Gazette 2498/16 dates Parts I and III only; the rights are in Part II
    owes: 'answer',
    within: [{ workingDays: 21 }],
  },
]

/**
 * What a request received that day is under: the rules that protect everyone and those of the person's place,
 * an ISO 3166 code of a country or of a region in it ('US-CA').
 */
export function regulationsFor(receivedOn: Day, place?: string): Regulation[] {
  const protectedHere = ['everyone', place, place?.slice(0, 2)]
  return REGULATIONS.filter(
    ({ protects, validFrom, validUntil }) =>
      protectedHere.includes(protects) &&
      (validFrom === 'always' || validFrom === 'no date yet' || validFrom <= receivedOn) &&
      (validUntil === undefined || receivedOn <= validUntil),
  )
}
