import { plainMediaType, treatmentOf } from './media-type.ts'
import type { AdapterAnswer, Part } from './package-input.ts'
import { slugs } from './slugs.ts'

/** A part with its place in the bag. */
export interface PlacedPart {
  part: Part
  path: string
  mediaType: string
  /** Kept as it is in the ZIP instead of being compressed. */
  stored: boolean
}

/** The placed parts of each dataset, and all of them in the order in which they are written. */
export interface Placement {
  all: PlacedPart[]
  of(adapter: string, dataset: string): readonly PlacedPart[]
}

/**
 * Gives every part its path: `data/<adapter>/<dataset>.json` and `.csv`, attachments `data/<adapter>/<dataset>/0001.pdf`. The order
 * is that of the adapters and their datasets, not that of arrival, so that equal input makes an equal package.
 * @throws Error for a part of an unknown dataset, and for two parts that would be the same file.
 */
export function placeParts(adapters: readonly AdapterAnswer[], parts: readonly Part[]): Placement {
  const waiting = Map.groupBy(parts, part => datasetKey(part.adapter, part.dataset))
  const placed = new Map<string, PlacedPart[]>()
  const folders = slugs(adapters.map(({ name }) => name))
  for (const { name: adapter, datasets } of adapters) {
    const names = slugs(datasets.map(({ name }) => name))
    for (const { name: dataset } of datasets) {
      const stem = `data/${folders.get(adapter)}/${names.get(dataset)}`
      const own = (waiting.get(datasetKey(adapter, dataset)) ?? []).toSorted((a, b) => rank(a) - rank(b))
      placed.set(
        datasetKey(adapter, dataset),
        own.map(part => place(stem, part)),
      )
      waiting.delete(datasetKey(adapter, dataset))
    }
  }
  const [stray] = waiting.values()
  if (stray?.[0]) throw new Error(`A part belongs to no answered dataset: ${stray[0].adapter}/${stray[0].dataset}`)
  const all = [...placed.values()].flat()
  if (new Set(all.map(({ path }) => path)).size < all.length) throw new Error('Two parts would be the same file')
  return { all, of: (adapter, dataset) => placed.get(datasetKey(adapter, dataset)) ?? [] }
}

/** One string for a dataset of an adapter, whatever is in the two names. */
export const datasetKey = (adapter: string, dataset: string): string => JSON.stringify([adapter, dataset])

const rank = (part: Part): number => (part.kind === 'records' ? -1 : part.kind === 'table' ? 0 : part.number)

function place(stem: string, part: Part): PlacedPart {
  if (part.kind === 'records') return { part, path: `${stem}.json`, mediaType: 'application/json', stored: false }
  if (part.kind === 'table') return { part, path: `${stem}.csv`, mediaType: 'text/csv', stored: false }
  if (!Number.isSafeInteger(part.number) || part.number < 1) throw new Error('Attachments are numbered from 1')
  const mediaType = plainMediaType(part.mediaType)
  const { extension, stored } = treatmentOf(mediaType)
  return { part, path: `${stem}/${String(part.number).padStart(4, '0')}.${extension}`, mediaType, stored }
}
