import type { Right } from '../domain/rights.ts'
import type { Policy } from './policy.ts'

/** The part of the policy that says how well people have to be known, and how they can show who they are. */
export type Ladder = Policy['assurance']

/** How well a person has to be known before a right is carried out for them: 0 to 4. `sensitive`: such data are in scope. */
export function levelNeeded({ needed }: Ladder, right: Right, { sensitive }: { sensitive: boolean }): number {
  const { level, sensitive: more = level } = needed[right]
  return sensitive ? Math.max(level, more) : level
}

/** Minutes within which somebody has to have logged in, for this right. */
export const loginMinutes = ({ methods, needed }: Ladder, right: Right): number =>
  Math.min(methods.portal_login.freshMinutes, needed[right].loginMinutes ?? Number.POSITIVE_INFINITY)
