import { addMonths, type Day, latest } from './day.ts'
import type { Fault } from './problem.ts'

/**
 * What shows that a request is manifestly unfounded or excessive: the burden is the controller's (GDPR Art. 12(5)). Abuse takes both
 * elements and all the circumstances named in CJEU C-526/24 *Brillen Rottler*; repetition takes the earlier equal requests.
 */
export type Evidence =
  | {
      kind: 'abuse'
      /** That the purpose of the right is not pursued, whatever its form. */
      objective: string
      /** The intention to gain something the right does not exist for, such as a claim for damages. */
      subjective: string
      factors: Record<AbuseFactor, string>
    }
  | { kind: 'repetition'; earlier: string[] }

export const ABUSE_FACTORS = ['dataGivenFreely', 'aim', 'timeBetween', 'conduct'] as const
export type AbuseFactor = (typeof ABUSE_FACTORS)[number]

export interface EarlierRequest {
  id: string
  receivedOn: Day
}

const NEEDING_EVIDENCE: readonly string[] = ['manifestly_unfounded', 'manifestly_excessive']

/** Whether a ground rests on GDPR Art. 12(5): it needs evidence, and the eyes of a second person. */
export const restsOnExcess = (ground: string): boolean => NEEDING_EVIDENCE.includes(ground)

/** What is missing to hold GDPR Art. 12(5) against a request; nothing for other grounds. */
export function faultsOfEvidence(
  ground: string,
  evidence: Evidence | undefined,
  { receivedOn, earlier }: { receivedOn: Day; earlier: readonly EarlierRequest[] },
): Fault[] {
  if (!restsOnExcess(ground)) return evidence ? [{ pointer: '/evidence', detail: 'Only Art. 12(5) takes this evidence.' }] : []
  if (earlier.length > 0 && isYearOn(latest(earlier.map(one => one.receivedOn)), receivedOn))
    return [
      {
        pointer: '/ground',
        detail: 'The last equal request is a year old or more: this one is not excessive (EDPB 01/2022 §185).',
      },
    ]
  if (!evidence) return [{ pointer: '/evidence', detail: 'The burden of showing it is ours (GDPR Art. 12(5)).' }]
  return evidence.kind === 'abuse' ? faultsOfAbuse(evidence) : faultsOfRepetition(ground, evidence.earlier, receivedOn, earlier)
}

const isYearOn = (before: Day, receivedOn: Day) => addMonths(before, 12) <= receivedOn

function faultsOfAbuse({ objective, subjective, factors }: Extract<Evidence, { kind: 'abuse' }>): Fault[] {
  const said: [pointer: string, text: string][] = [
    ['/evidence/objective', objective],
    ['/evidence/subjective', subjective],
    ...ABUSE_FACTORS.map((factor): [string, string] => [`/evidence/factors/${factor}`, factors[factor]]),
  ]
  return said
    .filter(([, text]) => !text.trim())
    .map(([pointer]) => ({ pointer, detail: 'Abuse is shown by both elements and every factor (CJEU C-526/24).' }))
}

function faultsOfRepetition(ground: string, named: string[], receivedOn: Day, earlier: readonly EarlierRequest[]): Fault[] {
  if (ground !== 'manifestly_excessive')
    return [{ pointer: '/evidence/kind', detail: 'Repetition makes a request excessive, not unfounded (GDPR Art. 12(5)).' }]
  if (named.length === 0) return [{ pointer: '/evidence/earlier', detail: 'Name the earlier equal requests.' }]
  const counting = earlier.filter(one => !isYearOn(one.receivedOn, receivedOn)).map(({ id }) => id)
  return named.flatMap((id, i) =>
    counting.includes(id)
      ? []
      : [
          {
            pointer: `/evidence/earlier/${i}`,
            detail: 'This is no answered request of the same person for the same right within the year before.',
          },
        ],
  )
}
