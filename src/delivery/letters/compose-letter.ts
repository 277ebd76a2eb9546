import { ABOUT_DECISIONS } from './compose-decision.ts'
import { ABOUT_OUTCOMES } from './compose-outcome.ts'
import { ABOUT_PROGRESS } from './compose-progress.ts'
import { ABOUT_REPRESENTATION } from './compose-represented.ts'
import { TO_OFFICER } from './compose-to-officer.ts'
import type { Composers } from './composed.ts'

/**
 * The wording of every letter. No subject says which right was exercised, for it shows on locked screens, and no letter
 * carries data: at most a link to them.
 */
export const COMPOSERS: Composers = {
  ...ABOUT_PROGRESS,
  ...ABOUT_REPRESENTATION,
  ...ABOUT_DECISIONS,
  ...ABOUT_OUTCOMES,
  ...TO_OFFICER,
}
