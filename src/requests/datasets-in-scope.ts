import type { Dataset } from '../adapters/protocol.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import { isPortable } from '../domain/rights.ts'

/**
 * What each kind of cookie is set for, in the policy's words. Functional ones are set for nothing that rests on consent: whoever
 * keeps what people agreed to for the others keeps it for these, too.
 */
const PURPOSES_OF = { analytics: ['analytics'], functional: ['analytics', 'marketing'], marketing: ['marketing'] } as const

/** The datasets of an adapter that a request is about: of its categories, and such as its right can be about. */
export function datasetsInScope(
  { right, scope: { categories } }: Pick<DsarRequest, 'right' | 'scope'>,
  details: Details,
  datasets: readonly Dataset[],
): Dataset[] {
  return datasets.filter(
    dataset => (!categories || categories.includes(dataset.category)) && IS_MEANT[right]?.(dataset, details) !== false,
  )
}

type IsMeant = (dataset: Dataset, details: Details) => boolean

const serves = (dataset: Dataset, purposes: readonly string[]): boolean =>
  dataset.purposes.some(purpose => purposes.includes(purpose))

/** Which of all datasets a right can be about; a right that is not named here is about every one. */
const IS_MEANT: Partial<Record<DsarRequest['right'], IsMeant>> = {
  portability: dataset => isPortable(dataset),
  rectification: ({ name, fields }, { corrections = [] }) =>
    corrections.some(({ dataset, field }) => dataset === name && fields.some(one => one.name === field)),
  objection: (dataset, { purposes = [] }) => serves(dataset, purposes),
  marketing_opt_out: dataset => serves(dataset, ['marketing']),
  consent_withdrawal: (dataset, { purposes = [], cookies = [] }) =>
    dataset.legalBases.includes('consent') && serves(dataset, [...purposes, ...cookies.flatMap(cookie => PURPOSES_OF[cookie])]),
}
