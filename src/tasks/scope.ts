import type { Adapter } from '../adapters/adapters.store.ts'
import type { Dataset } from '../adapters/protocol.ts'
import type { Details } from '../domain/details.ts'
import { groundAgainst, type Parts, type RefusalGround } from '../domain/refusal.ts'
import type { DsarRequest } from '../domain/request.ts'
import { datasetsInScope } from '../requests/datasets-in-scope.ts'
import type { TaskConfig } from './tasks.store.ts'

/** What is asked of whom: the request, its particulars, the parts of it that were refused, and what is another controller's. */
export interface Asked {
  request: Pick<DsarRequest, 'right' | 'scope'>
  details: Details
  refused: readonly { ground: RefusalGround; parts: Parts }[]
  /** The name of the other controller to whom a dataset belongs, if any. */
  controllerOf(adapter: string, dataset: Dataset): string | undefined
  /** What has to stay as it is, by the id of its adapter. */
  untouched?: readonly { adapterId: string; dataset: string }[]
}

/** What a task remembers of its adapter: of the datasets in scope, those that were refused or are another's are asked of nobody. */
export function configFor({ request, details, refused, controllerOf, untouched = [] }: Asked, adapter: Adapter): TaskConfig {
  const inScope = datasetsInScope(request, details, adapter.manifest.datasets).filter(
    ({ name }) => !untouched.some(({ adapterId, dataset }) => adapterId === adapter.id && dataset === name),
  )
  const withheld = inScope.flatMap(dataset => {
    const ground = groundAgainst(refused, { adapter: adapter.name, dataset: dataset.name, category: dataset.category })
    return ground ? [{ ...dataset, ground }] : []
  })
  const granted = inScope.filter(({ name }) => !withheld.some(one => one.name === name))
  const forwarded = granted.flatMap(dataset => {
    const controller = controllerOf(adapter.name, dataset)
    return controller === undefined ? [] : [{ ...dataset, controller }]
  })
  const config = configOf(
    adapter,
    granted.filter(({ name }) => !forwarded.some(one => one.name === name)),
  )
  return {
    ...config,
    outOfScope: config.outOfScope.filter(dataset => !inScope.includes(dataset)),
    ...(withheld.length > 0 && { refused: withheld }),
    ...(forwarded.length > 0 && { forwarded }),
  }
}

/** What a task remembers of its adapter. */
export function configOf(adapter: Adapter, datasets: Dataset[]): TaskConfig {
  return {
    baseUrl: adapter.baseUrl,
    title: adapter.title,
    identityTypes: adapter.manifest.identityTypes.map(({ type }) => type),
    hashedTypes: adapter.manifest.identityTypes
      .filter(({ formats = ['raw'] }) => !formats.includes('raw'))
      .map(({ type }) => type),
    datasets,
    outOfScope: adapter.manifest.datasets.filter(dataset => !datasets.includes(dataset)),
  }
}
