import { isDay } from '../domain/day.ts'
import { AdapterFault } from './fault.ts'
import type { DatasetAnswer, TaskCall } from './protocol.ts'

/** The exceptions of Art. 17(3) GDPR, in the order of its letters. */
const EXCEPTION = /^17_3_[a-e]$/
/** Data kept to comply with the law: with which one, the person has to be told. */
const LEGAL_OBLIGATION = '17_3_b'

type Kept = Pick<DatasetAnswer, 'count' | 'reason' | 'statute' | 'until'>

/**
 * What is missing from the explanation of something that is kept although it was asked to act on it: how much, why, and until
 * which day. Without these nobody could tell the person (Art. 12(4)), and nothing would erase it when its day has come.
 */
export function explanationMissing({ action }: { action: string }, { count, reason, statute, until }: Kept): string[] {
  const explained = {
    'a count above 0': count !== undefined && count > 0,
    'a reason': reason !== undefined,
    'an exception of Art. 17(3) as its reason': action !== 'erase' || reason === undefined || EXCEPTION.test(reason),
    'the statute': reason !== LEGAL_OBLIGATION || statute !== undefined,
    'the day until which': until !== undefined && isDay(until),
  }
  return Object.entries(explained).flatMap(([what, there]) => (there ? [] : [what]))
}

/** @throws AdapterFault `retention_unexplained`, naming what is missing */
export function requireExplained(task: TaskCall, dataset: DatasetAnswer): void {
  const missing = explanationMissing(task, dataset)
  if (missing.length > 0)
    throw new AdapterFault('retention_unexplained', `${dataset.name} is retained without ${missing.join(', ')}`)
}
