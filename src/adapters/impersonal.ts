import { AdapterFault } from './fault.ts'
import type { DatasetAnswer, TaskCall } from './protocol.ts'

/** Shorter ones, and mere numbers, stand in the names of laws as well. */
const isTelling = (value: string) => value.length >= 4 && /\p{L}/u.test(value)

/**
 * Codes and statutes go where nothing is sealed: whoever was asked about is not named in them. @throws AdapterFault `not_valid`
 */
export function requireImpersonal({ subject }: TaskCall, datasets: readonly DatasetAnswer[]): void {
  const theirs = subject.identities.map(({ value }) => value.toLowerCase()).filter(isTelling)
  for (const { name, reason = '', statute = '' } of datasets) {
    const said = `${reason}\n${statute}`.toLowerCase()
    if (theirs.some(value => said.includes(value)))
      throw new AdapterFault('not_valid', `${name} is explained with an identity of the person`)
  }
}
