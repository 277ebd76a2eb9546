import type { Readable } from 'node:stream'
import type { Answer } from './answer.ts'
import type { CallLimits } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import { gatherer } from './gatherer.ts'
import type { TaskCall } from './protocol.ts'
import { childOf, isObject, parseStatement, parseStrictly } from './strict-json.ts'

export interface FileMeta {
  /** As the adapter calls it: text of unknown intent, never a path. */
  name: string
  mediaType: string
  size?: number
}

/**
 * Where collected data go. What it took counts only once the call is answered with `collected`; after any other answer,
 * and after an error, it is to be thrown away.
 */
export interface CollectSink {
  /**
   * @param json the record exactly as it was sent: `value` has its numbers rounded to what JavaScript can hold
   * @returns a promise only when the next record should wait
   */
  record(dataset: string, json: Buffer, value: Readonly<Record<string, unknown>>): void | Promise<void>
  /** Reads `content` to its end, or rejects. */
  file(dataset: string, meta: FileMeta, content: Readable): Promise<void>
}

export interface Collection {
  task: TaskCall
  limits: CallLimits
  record(dataset: string, json: Buffer, value: unknown): void | Promise<void>
  file(dataset: string, entry: unknown): Promise<void>
  /** Compares what arrived with what the adapter says it sent. */
  end(json: unknown): Answer
}

const LINE_FEED = 0x0a
const CLOSING_BRACE = 0x7d

/**
 * Reads the answer to a `collect` as NDJSON, line by line as it comes. Holds one line and what the network hands over at once.
 * @throws AdapterFault; OutboundError from the body; whatever the sink throws
 */
export async function readCollectStream(body: AsyncIterable<Buffer>, collection: Collection): Promise<Answer> {
  const lines = lineReader(collection)
  const begun = gatherer(collection.limits.lineBytes, 'a line')
  for await (const chunk of body) {
    let start = 0
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, start)) {
      let line = chunk.subarray(start, at)
      if (!begun.isEmpty()) {
        begun.add(line)
        line = begun.take()
      }
      const busy = lines.take(line)
      if (busy) await busy
      start = at + 1
    }
    if (start < chunk.length) begun.add(chunk.subarray(start))
  }
  await lines.takeLast(begun.take())
  return lines.answer()
}

/** The usual way to write a record: only what is between a known opening and the last brace needs reading. */
function recordReader({ limits, task, record }: Collection) {
  const openings = task.scope.datasets.map(dataset => ({ dataset, opening: Buffer.from(`{"dataset":"${dataset}","record":`) }))
  let current = openings[0]

  const isRecordOf = (candidate: (typeof openings)[number], line: Buffer): boolean =>
    line.length > candidate.opening.length &&
    line.compare(candidate.opening, 0, candidate.opening.length, 0, candidate.opening.length) === 0

  /** Undefined where the line is no such record after all: `"record":1,"file":{…}`. The long way then says what it is. */
  function tryParse(json: Buffer): unknown {
    try {
      return parseStrictly(json, limits.depth, 'a record')
    } catch (error) {
      if (error instanceof AdapterFault && error.code === 'not_json') return undefined
      throw error
    }
  }

  return (line: Buffer): { waiting: void | Promise<void> } | undefined => {
    if (line[line.length - 1] !== CLOSING_BRACE) return undefined
    if (!current || !isRecordOf(current, line)) current = openings.find(candidate => isRecordOf(candidate, line))
    if (!current) return undefined
    const json = line.subarray(current.opening.length, -1)
    const value = tryParse(json)
    return value === undefined ? undefined : { waiting: record(current.dataset, json, value) }
  }
}

function lineReader(collection: Collection) {
  const { limits } = collection
  const takeRecord = recordReader(collection)
  let answer: Answer | undefined

  function take(line: Buffer): void | Promise<void> {
    if (line.length > limits.lineBytes) throw new AdapterFault('too_large', 'a line is too long')
    if (isBlank(line)) return
    if (answer) throw new AdapterFault('not_valid', 'something follows the end')
    const taken = takeRecord(line)
    return taken ? taken.waiting : takeOther(line)
  }

  function takeOther(line: Buffer): void | Promise<void> {
    const value = parseStrictly(line, limits.depth + 1, 'a line')
    const { dataset, record, file, end } = isObject(value) ? value : {}
    const raw = record === undefined ? undefined : childOf(line, 'record')
    if (typeof dataset === 'string' && raw && file === undefined) return collection.record(dataset, raw, record)
    if (typeof dataset === 'string' && file !== undefined && record === undefined) return collection.file(dataset, file)
    if (end === undefined || dataset !== undefined) throw new AdapterFault('not_valid', 'a line is neither record, file nor end')
    parseStatement(line, limits.depth + 1, 'the end')
    answer = collection.end(end)
  }

  return {
    take,
    /** A last line without a line feed: what cannot be read of it was cut off. */
    async takeLast(line: Buffer): Promise<void> {
      try {
        await take(line)
      } catch (error) {
        throw error instanceof AdapterFault && error.code === 'not_json'
          ? new AdapterFault('cut', 'the last line is cut off')
          : error
      }
    },
    answer(): Answer {
      if (!answer) throw new AdapterFault('cut', 'the stream ended without its end')
      return answer
    },
  }
}

/** A few blanks, a carriage return: nobody's data. */
const isBlank = (line: Buffer): boolean => line.length === 0 || (line.length < 8 && line.toString().trim() === '')
