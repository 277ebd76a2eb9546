import { addDays, addMonths, type Day, dayIn } from '../domain/day.ts'
import type { Mandate } from '../domain/mandate.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import {
  EVIDENCE,
  type Evidence,
  isRepresentative,
  type Representative,
  voiceOf,
  yearsBetween,
} from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import type { Clock } from '../platform/clock.ts'
import type { Policy } from '../policy/policy.ts'
import { agesIn, heirYearsIn } from '../policy/representation.ts'

/** What somebody saw of a mandate. Of the two days of a life only what follows from them is kept. */
export interface GivenMandate {
  evidence: Evidence
  documentSha256: string
  seenOn: Day
  validUntil?: Day
  /** Every right where it is left out. */
  covers?: Right[]
  reference: string
  deliverToRequester?: boolean
  childBornOn?: Day
  diedOn?: Day
}

export interface MandateRules {
  clock: Clock
  policy: Pick<Policy, 'representation'>
}

type Judged = Pick<Mandate, 'voice' | 'delivery'>

/** What a mandate lets happen, if it is one for this request and for today. @throws Problem `unprocessable` */
export function judgeMandate({ clock, policy }: MandateRules, request: DsarRequest, given: GivenMandate): Judged {
  const { relationship, country, right, timeZone } = request
  if (!isRepresentative(relationship)) throw new Problem('unprocessable', 'Nobody acts for the person in this request.')
  const today = dayIn(clock.now(), timeZone)
  const ages = agesIn(policy.representation, country)
  const voice = voiceOf(relationship, given.childBornOn ? yearsBetween(given.childBornOn, today) : 0, ages)
  const errors = [
    ...ofDocument(relationship, given, { today, seenFrom: addDays(today, -policy.representation.seenWithinDays) }, right),
    ...ofDays(relationship, given, today, heirYearsIn(policy.representation, country)),
    ...(voice ? [] : [{ pointer: '/childBornOn', detail: `From ${ages.adult} on they act alone, or give somebody a mandate.` }]),
  ]
  if (!voice || errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
  return { voice, delivery: voice === 'told' ? 'requester' : given.deliverToRequester ? 'subject_may_allow' : 'subject' }
}

function ofDocument(
  whose: Representative,
  given: GivenMandate,
  { today, seenFrom }: { today: Day; seenFrom: Day },
  right: Right,
): Fault[] {
  const shown: readonly Evidence[] = EVIDENCE[whose]
  return [
    ...(shown.includes(given.evidence) ? [] : [{ pointer: '/evidence', detail: `It is shown by: ${shown.join(', ')}.` }]),
    ...(given.seenOn > today ? [{ pointer: '/seenOn', detail: 'It lies in the future.' }] : []),
    ...(given.seenOn < seenFrom
      ? [{ pointer: '/seenOn', detail: `It is too long ago: have it shown again, on or after ${seenFrom}.` }]
      : []),
    ...(isOver(given, today) ? [{ pointer: '/validUntil', detail: 'It is over.' }] : []),
    ...(given.covers && !given.covers.includes(right) ? [{ pointer: '/covers', detail: `It does not cover ${right}.` }] : []),
  ]
}

function ofDays(whose: Representative, given: GivenMandate, today: Day, heirYears: number): Fault[] {
  const owner = { childBornOn: 'parent_or_guardian', diedOn: 'heir' } as const
  const faults = (['childBornOn', 'diedOn'] as const).flatMap(day => {
    const value = given[day]
    if ((value !== undefined) !== (owner[day] === whose))
      return [{ pointer: `/${day}`, detail: value === undefined ? 'It is needed.' : `Only for: ${owner[day]}.` }]
    return value && value > today ? [{ pointer: `/${day}`, detail: 'It lies in the future.' }] : []
  })
  const { diedOn } = given
  return whose === 'heir' && diedOn && addMonths(diedOn, 12 * heirYears) < today
    ? [...faults, { pointer: '/diedOn', detail: `Heirs can ask for ${heirYears} years.` }]
    : faults
}

/** Whether the last day of a mandate has passed. */
export const isOver = ({ validUntil }: { validUntil?: Day | null }, today: Day): boolean => !!validUntil && validUntil < today
