import { parseEmailAddress } from '../domain/email-address.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { Identity } from './identities.store.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/

/**
 * Identities in their one normal form. Whatever could be read in two ways is refused here, before anything is compared,
 * stored or sent: an address is one address, an identifier has no invisible characters.
 * @throws Problem `unprocessable`, with pointers from `at` on
 */
export function checkIdentities(identities: readonly Identity[], at = '/subject/identities'): Identity[] {
  const errors: Fault[] = []
  const checked = identities.map(({ type, value }, i) => {
    const normal =
      type === 'email'
        ? parseEmailAddress(value)
        : UNPRINTABLE.test(value) || value !== value.normalize('NFC').trim()
          ? undefined
          : value
    if (normal === undefined)
      errors.push({
        pointer: `${at}/${i}/value`,
        detail: type === 'email' ? 'This is not one plain e-mail address.' : 'It has invisible characters, or blanks around it.',
      })
    return { type, value: normal ?? '' }
  })
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
  return checked
}
