import { restsOnExcess } from './excess.ts'
import type { Refusal } from './refusal.ts'

/** A charge for a request that is manifestly unfounded or excessive, told before it is made (GDPR Art. 12(5)(a); EDPB 01/2022 §194). */
export interface FeeNotice extends Omit<Refusal, 'parts' | 'citation' | 'ground'> {
  ground: FeeGround
  /** Decimal, in units of the currency (ISO 4217). */
  amount: `${number}`
  currency: string
}

export const FEE_GROUNDS = ['manifestly_unfounded', 'manifestly_excessive'] as const
export type FeeGround = (typeof FEE_GROUNDS)[number]

/** What somebody with the office to do so decides on a request. */
export type Decision =
  | { kind: 'approve' }
  | ({ kind: 'refuse' } & Omit<Refusal, 'parts'>)
  | ({ kind: 'refuse_partly' } & Refusal & Required<Pick<Refusal, 'parts'>>)
  | ({ kind: 'fee_notice' } & FeeNotice)

export const DECISIONS = ['approve', 'refuse', 'refuse_partly', 'fee_notice'] as const

/** Whether one person alone cannot decide it: nobody is called a nuisance by a single officer. */
export const needsSecondPerson = (decision: Decision): boolean => 'ground' in decision && restsOnExcess(decision.ground)
