import type { Right } from '../domain/rights.ts'
import type { Walk } from './stage.ts'
import { access } from './walks/access.ts'
import { automatedDecisionReview } from './walks/automated-decision-review.ts'
import { consentWithdrawal } from './walks/consent-withdrawal.ts'
import { erasure } from './walks/erasure.ts'
import { inquiry } from './walks/inquiry.ts'
import { marketingOptOut } from './walks/marketing-opt-out.ts'
import { objection } from './walks/objection.ts'
import { portability } from './walks/portability.ts'
import { rectification } from './walks/rectification.ts'
import { restriction } from './walks/restriction.ts'
import { underAgeReport } from './walks/under-age-report.ts'

/** How each right is shown. */
export const WALKS: Record<Right, Walk> = {
  access,
  portability,
  rectification,
  erasure,
  restriction,
  objection,
  consent_withdrawal: consentWithdrawal,
  marketing_opt_out: marketingOptOut,
  automated_decision_review: automatedDecisionReview,
  under_age_report: underAgeReport,
  inquiry,
}
