import type { Call, DatasetDefinition, FileToSend, Row } from './definition.ts'
import type { LinkedFile } from './file-links.ts'
import type { Identity } from './protocol.ts'

/** Bytes handed on at once: large enough that a million records cost thousands of writes, not a million. */
const CHUNK = 128 * 1024
const INLINE_LIMIT = 256 * 1024

export interface Collection<Person> {
  datasets: readonly (readonly [name: string, dataset: DatasetDefinition<Person>])[]
  person: Person
  matched: readonly Identity[]
  call: Call
  /** Turns a reference to a file into a URL from which it can be had. */
  link(file: LinkedFile): string
}

/**
 * Everything asked for, as NDJSON in large chunks, ended by the line that says who was matched and how much there was.
 * Holds one chunk and what the author yields at a time. The end line is reached only when nothing failed.
 */
export async function* ndjson<Person>({ datasets, person, matched, call, link }: Collection<Person>): AsyncGenerator<Buffer> {
  const counts: Record<string, number> = {}
  for (const [name, dataset] of datasets) {
    let count = 0
    for await (const { chunk, lines } of linesOf(name, dataset, person, call, link)) {
      count += lines
      if (chunk) yield Buffer.from(chunk)
    }
    counts[name] = count
  }
  yield Buffer.from(`${JSON.stringify({ end: { matched, counts } })}\n`)
}

/** The lines of one dataset, joined to chunks; the last may be empty. */
async function* linesOf<Person>(
  name: string,
  { records, files }: DatasetDefinition<Person>,
  person: Person,
  call: Call,
  link: Collection<Person>['link'],
): AsyncGenerator<{ chunk: string; lines: number }> {
  let chunk = ''
  let lines = 0
  const opening = `{"dataset":"${name}","record":`
  for await (const batch of records?.(person, call) ?? []) {
    for (const row of Array.isArray(batch) ? batch : [batch]) {
      chunk += `${opening}${jsonOf(row)}}\n`
      lines += 1
      if (chunk.length < CHUNK) continue
      yield { chunk, lines }
      chunk = ''
      lines = 0
    }
  }
  for await (const file of files?.(person, call) ?? []) {
    yield { chunk: `${chunk}${JSON.stringify({ dataset: name, file: described(file, link) })}\n`, lines: lines + 1 }
    chunk = ''
    lines = 0
  }
  yield { chunk, lines }
}

/** One line of JSON. In JSON text a line break can only be white space between tokens, so a blank may stand for it. */
function jsonOf(row: Row): string {
  if (typeof row !== 'string') return JSON.stringify(row)
  if (row[0] !== '{') throw new Error('A record given as text is the JSON of an object.')
  return row.includes('\n') ? row.replaceAll('\n', ' ') : row
}

function described<Person>(file: FileToSend, link: Collection<Person>['link']) {
  const { name, mediaType } = file
  if ('key' in file) return { name, mediaType, size: file.size, url: link({ key: file.key, mediaType, size: file.size }) }
  if (file.content.length > INLINE_LIMIT) throw new Error('A file above 256 KiB is given by its key, not by its content.')
  return { name, mediaType, size: file.content.length, base64: Buffer.from(file.content).toString('base64') }
}
