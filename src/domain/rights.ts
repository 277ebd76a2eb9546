/** The rights that can be exercised here today, with the article that grants each (GDPR). */
export const RIGHTS = {
  access: { article: '15', delivers: 'package' },
  portability: { article: '20', delivers: 'package' },
} as const satisfies Record<string, { article: string; delivers: 'package' | 'letter' }>

export type Right = keyof typeof RIGHTS

/** How a dataset came to be held; it decides portability. */
export type Origin = 'provided' | 'observed' | 'derived' | 'third_party'

/**
 * Art. 20(1): portable are the data that the person provided, in the wide sense that includes what
 * was observed of them, and only where processing rests on consent or on a contract. Inferred data never are.
 */
export function isPortable(dataset: { origin: Origin; legalBases: readonly string[] }): boolean {
  return (
    (dataset.origin === 'provided' || dataset.origin === 'observed') &&
    dataset.legalBases.some(basis => basis === 'consent' || basis === 'contract')
  )
}
