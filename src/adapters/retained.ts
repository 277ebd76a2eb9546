import { isDay } from '../domain/day.ts'
import { AdapterFault } from './fault.ts'
import type { DatasetAnswer, TaskCall } from './protocol.ts'

/** The exceptions of Art. 17(3) GDPR, in the order of its letters. */
const EXCEPTION = /^17_3_[a-e]$/
/** Data kept to comply with the law: with which one, the person has to be told. */
const LEGAL_OBLIGATION = '17_3_b'

/**
 * What an adapter keeps although it was asked to act on it: how much, why, and until which day. Without these nobody could tell
 * the person (Art. 12(4)), and nothing would erase it when its day has come.
 * @throws AdapterFault `retention_unexplained`, naming what is missing
 */
export function requireExplained({ action }: TaskCall, { name, count, reason, statute, until }: DatasetAnswer): void {
  const explained = {
    'a count above 0': count !== undefined && count > 0,
    'a reason': reason !== undefined,
    'an exception of Art. 17(3) as its reason': action !== 'erase' || reason === undefined || EXCEPTION.test(reason),
    'the statute': reason !== LEGAL_OBLIGATION || statute !== undefined,
    'the day until which': until !== undefined && isDay(until),
  }
  const missing = Object.entries(explained).flatMap(([what, there]) => (there ? [] : [what]))
  if (missing.length > 0) throw new AdapterFault('retention_unexplained', `${name} is retained without ${missing.join(', ')}`)
}
