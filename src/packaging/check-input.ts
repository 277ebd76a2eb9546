import type { DatasetAnswer, PackageInput } from './package-input.ts'
import { datasetKey } from './place-parts.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const DIGEST = /^[0-9a-f]{64}$/

/**
 * Refuses what cannot be true, before a byte is written: a package that says one thing and holds another is worse than none.
 * @throws Error, which names adapters and datasets only.
 */
export function checkInput({ requestId, adapters, parts }: PackageInput): void {
  if (!UUID.test(requestId)) throw new Error('The id of the request is not a UUID')
  refuseDoubles(adapters, 'adapter')
  const filled = new Set(parts.map(({ adapter, dataset }) => datasetKey(adapter, dataset)))
  for (const { name, datasets } of adapters) {
    refuseDoubles(datasets, `dataset of ${name}`)
    for (const dataset of datasets) checkDataset(`${name}/${dataset.name}`, dataset, filled.has(datasetKey(name, dataset.name)))
  }
  for (const { adapter, dataset, bytes, sha256 } of parts) {
    if (!Number.isSafeInteger(bytes) || bytes < 0 || !DIGEST.test(sha256))
      throw new Error(`A part of ${adapter}/${dataset} has no true size and digest`)
  }
}

function checkDataset(place: string, { outcome, count }: DatasetAnswer, filled: boolean): void {
  const delivered = outcome === 'completed' || outcome === 'partially_completed'
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${place} has no count`)
  if (delivered && count > 0 && !filled) throw new Error(`${place} has ${count} records and no part`)
  if (!delivered && filled) throw new Error(`${place} is '${outcome}' and has a part`)
  if (outcome === 'no_data' && count > 0) throw new Error(`${place} is 'no_data' and has ${count} records`)
}

function refuseDoubles(named: readonly { name: string }[], what: string): void {
  if (new Set(named.map(({ name }) => name)).size < named.length) throw new Error(`The same ${what} is there twice`)
}
