import type { Adapter } from '../adapters/adapters.store.ts'
import type { Dataset } from '../adapters/protocol.ts'
import type { DsarRequest } from '../domain/request.ts'
import { isPortable } from '../domain/rights.ts'
import type { TaskConfig } from './tasks.store.ts'

/** The datasets of an adapter that a request is about: all of them, those of the categories asked for, those that are portable. */
export function datasetsInScope(request: Pick<DsarRequest, 'right' | 'scope'>, datasets: readonly Dataset[]): Dataset[] {
  const { categories } = request.scope
  return datasets.filter(
    dataset => (!categories || categories.includes(dataset.category)) && (request.right !== 'portability' || isPortable(dataset)),
  )
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
