/** What the adapters of a history hold, and what each right is about. */
export const DATASETS = [
  { name: 'things', title: 'Things', category: 'account' },
  {
    ...{ name: 'traces', title: 'Traces', category: 'usage', origin: 'observed' },
    ...{ purposes: ['analytics'], legalBases: ['legitimate_interest'], retention: 'usage_data' },
  },
  {
    ...{ name: 'choices', title: 'Choices', category: 'marketing' },
    ...{ purposes: ['marketing'], legalBases: ['consent'], retention: 'consent_withdrawal' },
  },
] as const
export type Dataset = (typeof DATASETS)[number]['name']
export const NAMES = DATASETS.map(({ name }) => name)
export const categoryOf = (name: string): string => DATASETS.find(dataset => dataset.name === name)?.category ?? ''

export interface Holding {
  name: string
  /** It came back from a backup, and nobody has been asked about it since. */
  back?: true
}

/** What one adapter holds of people, and what was begun for them there. */
export interface Shelf {
  of(user: string, dataset: string): readonly Holding[]
  put(user: string, dataset: string, rows: Holding[]): void
  isEmpty(user: string): boolean
  /** What it may do no more with the data of somebody: `restricted`, or a purpose objected to or no longer agreed to. */
  limitsOf(user: string): Set<string>
}

export function openShelf(people: readonly string[]): Shelf {
  const rows = new Map<string, Holding[]>()
  const limits = new Map(people.map(user => [user, new Set<string>()]))
  const of = (user: string, dataset: string) => rows.get(`${user} ${dataset}`) ?? []
  const put = (user: string, dataset: string, held: Holding[]) => void rows.set(`${user} ${dataset}`, held)
  for (const user of people) for (const name of NAMES) put(user, name, [{ name: 'one' }, { name: 'two' }])
  return {
    of,
    put,
    isEmpty: user => NAMES.every(name => of(user, name).length === 0),
    limitsOf: user => limits.get(user) ?? new Set(),
  }
}
