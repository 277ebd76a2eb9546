import type { Ages } from '../domain/representation.ts'
import type { Policy } from './policy.ts'

type Representation = Policy['representation']

export function agesIn({ ages: { consent, ...ages } }: Representation, country: string | null): Ages {
  return { ...ages, consent: valueFor(consent, country) }
}

/** Years after somebody's death within which their heirs can ask. */
export const heirYearsIn = ({ heirYears }: Representation, country: string | null): number => valueFor(heirYears, country)

const valueFor = ({ otherwise, countries }: Representation['heirYears'], country: string | null): number =>
  (country === null ? undefined : countries[country]) ?? otherwise
