import type { Tx } from '../platform/database.ts'
import { type IssueDeps, issueRepudiationLink } from '../verification/repudiation-links.store.ts'
import type { LetterName } from './letters/letters.ts'
import { type NewLetter, type OutboxDeps, writeLetter } from './outbox.ts'

export interface MeansDeps extends Omit<OutboxDeps, 'vault'> {
  vault: OutboxDeps['vault'] & IssueDeps['vault']
}

/** Letters by which somebody may learn of a request that is not theirs. */
const REPUDIABLE: ReadonlySet<LetterName> = new Set<LetterName>([
  'identity-code',
  'representative-code',
  'represented',
  'login-needed',
  'acknowledgment',
  'erasure-announced',
  'contact-changed',
])

/**
 * Writes a letter about a request, with the means to say *this was not me* where somebody may learn of the request by it.
 * @param contact number of the contact point that it goes to; whoever acts for the person has none, and gets no means
 */
export async function writeWithMeans(deps: MeansDeps, tx: Tx, letter: NewLetter, contact: number | undefined): Promise<void> {
  const { requestId, kind, dedupe } = letter
  if (contact === undefined || requestId === null || !REPUDIABLE.has(kind)) return writeLetter(deps, tx, letter)
  const means = await issueRepudiationLink(deps, tx, { requestId, contact, letter: dedupe })
  if (!means) return // this letter was written before
  const notYou = { link: `${deps.publicUrl}/v1/repudiations/${means.token}`, code: means.code }
  await writeLetter(deps, tx, { ...letter, values: { ...letter.values, notYou } } as NewLetter)
}
