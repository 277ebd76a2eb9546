import { Problem } from '../domain/problem.ts'
import type { Caller } from './caller.ts'

const subjectOf = (id: string) => id.slice(id.indexOf('|') + 1)

/**
 * Two pairs of eyes: what somebody proposed, known by their `Caller.id`, somebody else has to approve. One subject is one person,
 * whatever token, role or issuer they come with. @throws Problem `second_person_needed`
 */
export function requireSecondPerson(proposer: string, caller: Caller, detail?: string): void {
  if (subjectOf(proposer) === subjectOf(caller.id)) throw new Problem('second_person_needed', detail)
}
