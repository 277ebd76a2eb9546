import type { KeyObject } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { CollectSink } from '../adapters/collect-stream.ts'
import type { BlobStore } from '../platform/blobs.ts'
import { csvHeader, csvRow } from '../platform/csv.ts'
import { withExactNumbers } from '../platform/exact-numbers.ts'
import { type PartWriter, type WrittenPart, writePart } from './part-writer.ts'

/** One finished piece of an answer, in its final bytes, waiting to be packed. */
export interface SpooledPart extends WrittenPart {
  dataset: string
  kind: 'records' | 'table' | 'file'
  /** Place among the files of its dataset, from 1; 0 for records and tables. */
  number: number
  mediaType: string
  originalName?: string
  blobKey: string
}

export interface Spool extends CollectSink {
  finish(): Promise<SpooledPart[]>
  abort(): Promise<void>
}

export interface SpoolTarget {
  blobs: BlobStore
  key: KeyObject
  /** Where the blobs of this attempt go; nobody else writes there. */
  prefix: string
  /** The columns each dataset declares; one that declares none has those of its first record. */
  columns: ReadonlyMap<string, readonly string[]>
}

interface Open {
  records: PartWriter
  table: PartWriter
  columns: readonly string[]
  count: number
}

/** A first record of very many members is a map rather than a row: the rest of them goes where all goes that no column has. */
const FOUND_COLUMNS_AT_MOST = 200

/**
 * Takes in what an adapter streams and turns it into the files that the person gets: each dataset as a JSON array with the
 * records exactly as they were sent, a table beside it, and attachments. Once through the door, nothing is parsed again.
 */
export function openSpool({ blobs, key, prefix, columns }: SpoolTarget): Spool {
  const open = new Map<string, Open>()
  const files: SpooledPart[] = []
  const blobKey = (dataset: string, suffix: string) =>
    `${prefix}/${dataset.replaceAll('_', '-')}.${[...columns.keys()].indexOf(dataset)}.${suffix}`

  const openDataset = (dataset: string, first: Readonly<Record<string, unknown>>): Open => {
    const declared = columns.get(dataset) ?? []
    const used = declared.length > 0 ? declared : Object.keys(first).slice(0, FOUND_COLUMNS_AT_MOST)
    const fresh = {
      records: writePart(blobs, key, blobKey(dataset, 'json')),
      table: writePart(blobs, key, blobKey(dataset, 'csv')),
      columns: used,
      count: 0,
    }
    fresh.table.write(csvHeader(used))
    open.set(dataset, fresh)
    return fresh
  }

  return {
    record(dataset, json, value) {
      const into = open.get(dataset) ?? openDataset(dataset, value)
      into.records.write(into.count++ === 0 ? '[\n' : ',\n')
      const first = into.records.write(json)
      const second = into.table.write(csvRow(into.columns, withExactNumbers(json, value)))
      if (first || second) return Promise.all([first, second]).then(() => {})
    },
    async file(dataset, meta, content: Readable) {
      const number = files.filter(part => part.dataset === dataset).length + 1
      const name = blobKey(dataset, `file-${number}`)
      const writer = writePart(blobs, key, name)
      try {
        for await (const chunk of content) await writer.write(chunk as Buffer)
      } catch (error) {
        await writer.abort()
        throw error
      }
      const written = await writer.finish()
      files.push({ ...written, dataset, kind: 'file', number, mediaType: meta.mediaType, originalName: meta.name, blobKey: name })
    },
    async finish() {
      const parts: SpooledPart[] = []
      for (const [dataset, { records, table }] of open) {
        await records.write('\n]\n')
        parts.push({
          ...(await kept(records, dataset, blobKey(dataset, 'json'))),
          kind: 'records',
          mediaType: 'application/json',
        })
        parts.push({ ...(await kept(table, dataset, blobKey(dataset, 'csv'))), kind: 'table', mediaType: 'text/csv' })
      }
      return [...parts, ...files]
    },
    async abort() {
      for (const { records, table } of open.values()) await Promise.all([records.abort(), table.abort()])
      for (const { blobKey: name, inline } of files) if (!inline) await blobs.delete(name)
    },
  }
}

const kept = async (writer: PartWriter, dataset: string, blobKey: string) => ({
  ...(await writer.finish()),
  dataset,
  number: 0,
  blobKey,
})
