import type { Readable } from 'node:stream'
import type { Answer } from './answer.ts'
import type { CallLimits } from './call-limits.ts'
import type { Collection, CollectSink } from './collect-stream.ts'
import { AdapterFault } from './fault.ts'
import { requireImpersonal } from './impersonal.ts'
import { quarantineFor, requireSameTask, requireScope } from './judge-answer.ts'
import { EndLine, FileLine, type TaskCall } from './protocol.ts'
import { readerOf } from './read-json.ts'
import { isObject } from './strict-json.ts'

const readFileLine = readerOf(FileLine)
const readEndLine = readerOf(EndLine)

export type OpenFile = (file: FileLine) => Promise<Readable>

/** Takes in what is collected for one task, in whatever form it comes, and counts it. */
export function startCollection(task: TaskCall, limits: CallLimits, sink: CollectSink, openFile: OpenFile): Collection {
  const arrived = new Map(task.scope.datasets.map(name => [name, 0]))
  let records = 0
  let files = 0

  const count = (dataset: string): void => {
    const before = arrived.get(dataset)
    if (before === undefined) throw new AdapterFault('dataset_unknown', 'something came of a dataset that was not asked for')
    arrived.set(dataset, before + 1)
  }
  return {
    task,
    limits,
    record(dataset, json, value) {
      count(dataset)
      if (++records > limits.records) throw new AdapterFault('too_large', 'there are too many records')
      if (!isObject(value)) throw new AdapterFault('not_valid', `a record of ${dataset} is not an object`)
      return sink.record(dataset, json, value)
    },
    async file(dataset, entry) {
      count(dataset)
      if (++files > limits.files) throw new AdapterFault('too_large', 'there are too many files')
      const file = readFileLine(entry, `a file of ${dataset}`)
      const content = await openFile(file)
      const { name, mediaType, size } = file
      try {
        await sink.file(dataset, { name, mediaType, ...(size !== undefined && { size }) }, content)
        if (!content.readableEnded) throw new Error(`The sink left a file of ${dataset} unread.`)
      } catch (error) {
        throw content.errored ?? error
      } finally {
        content.destroy()
      }
    },
    end: json => endOf(task, json, arrived, files),
  }
}

/** What a dataset of which something came can be. A package that says one thing and holds another is never made. */
const HANDED_OVER: ReadonlySet<string> = new Set(['completed', 'partially_completed'])

function endOf(task: TaskCall, json: unknown, arrived: ReadonlyMap<string, number>, files: number): Answer {
  const end = readEndLine(json, 'the end')
  if (end.taskId !== undefined) requireSameTask(task, end.taskId)
  const quarantine = quarantineFor(task, end.matched)
  if (quarantine) return quarantine

  const counts = new Map(Object.entries(end.counts))
  const said = end.datasets ?? []
  requireScope(task, new Set([...counts.keys(), ...said.map(dataset => dataset.name)]), said)
  requireImpersonal(task, said)
  const datasets = [...arrived].map(([name, count]) => {
    if (count !== (counts.get(name) ?? 0)) throw new AdapterFault('count_mismatch', `not as much came of ${name} as was sent`)
    const came = count > 0 ? ('completed' as const) : ('no_data' as const)
    const dataset = { name, outcome: came, ...said.find(one => one.name === name), count }
    if (count > 0 && !HANDED_OVER.has(dataset.outcome))
      throw new AdapterFault('not_valid', `${name} is said to be '${dataset.outcome}', and yet something of it came`)
    return dataset
  })
  return { kind: 'collected', matched: end.matched, datasets, files }
}
