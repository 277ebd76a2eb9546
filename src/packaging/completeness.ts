import type { Messages } from './messages.ts'
import type { AdapterAnswer, AdapterStatus, DatasetAnswer, PackagedOutcome } from './package-input.ts'

/** One thing that should be in the package and is not, or not wholly; without a dataset it is all that the adapter may hold. */
export type Shortfall =
  | { adapter: string; dataset?: undefined; why: AdapterStatus }
  | ({ adapter: string; dataset: string; why: PackagedOutcome | 'fewer_than_located' | 'redacted' } & Explanation)

type Explanation = Pick<DatasetAnswer, 'count' | 'located' | 'reason' | 'statute' | 'until'>

/** The completeness statement. It claims no more than was answered. */
export interface Completeness {
  complete: boolean
  answered: number
  asked: number
  /** Whether personal data are processed (Art. 15(1)), said even where there are none. */
  dataFound: boolean
  statement: string
  missing: Shortfall[]
}

const ANSWERED: readonly AdapterStatus[] = [
  'answered',
  'unknown_person',
  'holds_nothing',
  'nothing_portable',
  'nothing_asked_for',
]
const WHOLE: readonly PackagedOutcome[] = ['completed', 'no_data', 'not_portable', 'not_asked_for']

export const isAnswered = (status: AdapterStatus): boolean => ANSWERED.includes(status)

/**
 * Complete is a package only if somebody was asked, every adapter answered, and every dataset came whole: all that had been counted
 * before arrived. Whatever was refused, kept back, failed, came in part or was left out for the sake of others is named.
 */
export function completenessOf(adapters: readonly AdapterAnswer[], { say }: Messages): Completeness {
  const missing = adapters.flatMap(shortfalls)
  const answered = adapters.filter(({ status }) => isAnswered(status)).length
  const complete = adapters.length > 0 && missing.length === 0
  const dataFound = adapters.some(({ datasets }) => datasets.some(({ count, located = 0 }) => count + located > 0))
  const narrowed = adapters.some(({ datasets }) => datasets.some(({ outcome }) => outcome === 'not_asked_for'))
  const statement = [
    say('answered', { answered, total: adapters.length }),
    say(!complete ? 'incomplete' : narrowed ? 'complete.asked' : 'complete'),
    say(dataFound ? 'found' : !complete ? 'found.unknown' : narrowed ? 'found.none.asked' : 'found.none'),
  ].join(' ')
  return { complete, answered, asked: adapters.length, dataFound, statement, missing }
}

function shortfalls({ name, status, datasets }: AdapterAnswer): Shortfall[] {
  const whole: Shortfall[] = isAnswered(status) ? [] : [{ adapter: name, why: status }]
  return whole.concat(datasets.flatMap(dataset => shortfall(name, dataset)))
}

function shortfall(adapter: string, dataset: DatasetAnswer): Shortfall[] {
  const { name, outcome, count, located, reason, statute, until, withheld } = dataset
  const fewer = located !== undefined && located > count && outcome !== 'not_portable'
  if (WHOLE.includes(outcome) && !fewer && !withheld) return []
  const why = WHOLE.includes(outcome) ? (fewer ? 'fewer_than_located' : 'redacted') : outcome
  return [{ adapter, dataset: name, why, count, located, reason, statute, until }]
}
