import type { Answer } from './answer.ts'
import type { Collection } from './collect-stream.ts'
import { AdapterFault } from './fault.ts'
import { childOf, childrenOf, isObject, parseStrictly } from './strict-json.ts'

/** The document, its list of datasets, a dataset, its list of records: around each record. */
const LEVELS_AROUND_A_RECORD = 4

/**
 * Takes the answer to a `collect` from one JSON document, for adapters with little to say: a result whose datasets carry
 * their `records` (and `files`, written as in a stream).
 */
export async function readCollectDocument(json: Buffer, collection: Collection): Promise<Answer> {
  const value = parseStrictly(json, collection.limits.depth + LEVELS_AROUND_A_RECORD, 'the answer')
  const { taskId, matched, datasets } = isObject(value) ? value : {}
  if (!Array.isArray(datasets)) throw new AdapterFault('not_valid', 'the answer has no datasets')
  // Only a stream may leave it out: an answer in one document says which task it is to.
  if (typeof taskId !== 'string') throw new AdapterFault('not_valid', 'the answer has no taskId')

  const counts: Record<string, number> = {}
  const raws = childrenOf(childOf(json, 'datasets') ?? json)
  for (const [i, dataset] of datasets.entries()) {
    const { name, records = [], files = [], count } = isObject(dataset) ? dataset : {}
    if (typeof name !== 'string' || !Array.isArray(records) || !Array.isArray(files)) {
      throw new AdapterFault('not_valid', 'a dataset has no name, or its records are not a list')
    }
    const rawRecords = childrenOf(childOf(raws[i]?.raw ?? json, 'records') ?? Buffer.from('[]'))
    for (const [j, record] of records.entries()) await collection.record(name, rawRecords[j]?.raw ?? json, record)
    for (const file of files) await collection.file(name, file)
    counts[name] = typeof count === 'number' ? count : records.length + files.length
  }
  return collection.end({ taskId, matched, counts, datasets })
}
