import { Type } from 'typebox'
import { Problem } from '../domain/problem.ts'

export const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2.', examples: ['US'] })
export const Region = Type.String({
  pattern: '^[A-Z]{2}-[A-Z0-9]{1,3}$',
  description: 'ISO 3166-2, in the country where both are given. A region without a law of its own has that of its country.',
  examples: ['US-CA'],
})

/** @throws Problem `unprocessable` for a region that lies in another country; `at` points to what holds them */
export function checkPlace({ country, region }: { country?: string; region?: string }, at: string): void {
  if (country && region && countryOf(region) !== country)
    throw new Problem('unprocessable', undefined, {
      errors: [{ pointer: `${at}/region`, detail: `It is not in ${country}: name both by ISO 3166, such as US and US-CA.` }],
    })
}

/** The country that an ISO 3166-2 code begins with. */
export const countryOf = (region: string): string => region.slice(0, 2)
