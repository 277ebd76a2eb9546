import { Readable } from 'node:stream'
import type { Answer } from '../adapters/answer.ts'
import type { CallLimits } from '../adapters/call-limits.ts'
import type { CollectSink } from '../adapters/collect-stream.ts'
import { startCollection } from '../adapters/collection.ts'
import { AdapterFault } from '../adapters/fault.ts'
import type { FileLine, TaskCall } from '../adapters/protocol.ts'
import { standing } from './condition.ts'
import type { Found } from './find-subject.ts'
import { entriesIn } from './locate.ts'
import type { Entry, Model } from './model.ts'
import { reachFor } from './reach.ts'
import { type Row, type Session, textOf } from './session.ts'
import { bindings, column, qualified, quoted } from './sql-text.ts'
import { wellFormed } from './well-formed.ts'

/** What is fetched at once is to come to about so much. */
const AT_ONCE = 256 * 1024
/** A file is read in pieces of this size: for each, the database unpacks the whole. */
const PIECE = 4 * 1024 * 1024
const ROWS = { first: 20, most: 2000 }

type Collecting = { session: Session; model: Model; found: Found; task: TaskCall; limits: CallLimits; sink: CollectSink }

/**
 * Hands over every row of the person, by a cursor in one moment of the database, so that memory does not grow with what there is.
 * PostgreSQL itself writes the records: numbers with all their digits, times after ISO 8601, lists and documents as JSON.
 */
export async function collect({ session, model, found, task, limits, sink }: Collecting): Promise<Answer> {
  const files = new Map<string, { entry: Entry; column: string; row: string }>()
  const left = budget(limits)
  const collection = startCollection(task, limits, sink, async ({ url = '', size = 0 }: FileLine) => {
    const file = files.get(url)
    if (!file || size > limits.fileBytes) throw new AdapterFault('too_large', 'a file is too large')
    files.delete(url)
    left.take(size)
    return Readable.from(piecesOf(session, file), { objectMode: false })
  })
  const counts: Record<string, number> = {}
  for (const entry of entriesIn(model, task)) {
    let count = 0
    for await (const row of rowsOf(session, model, found, entry)) {
      const [json, at, ...named] = row
      const record = wellFormed(Buffer.from(textOf(json)))
      if (record.json.length > limits.lineBytes) throw new AdapterFault('too_large', 'a record is too long')
      left.take(record.json.length)
      const busy = collection.record(entry.name, record.json, record.value)
      if (busy) await busy
      count += 1
      for (const [i, [name, file]] of filesIn(entry).entries()) {
        const [size, title] = named.slice(2 * i)
        if (size == null) continue
        const url = `${entry.name}/${count}/${i}`
        files.set(url, { entry, column: name, row: textOf(at) })
        const mediaType = file.mediaType ?? 'application/octet-stream'
        await collection.file(entry.name, { name: title || `${name}-${count}`, mediaType, size: Number(size), url })
        count += 1
      }
    }
    counts[entry.name] = count
  }
  if (!found.isThere && Object.values(counts).every(count => count === 0)) return { kind: 'unknown' }
  return collection.end({ taskId: task.taskId, matched: found.matched, counts })
}

function budget({ streamBytes }: CallLimits) {
  let left = streamBytes
  return {
    take(bytes: number): void {
      left -= bytes
      if (left < 0) throw new AdapterFault('too_large', 'there is too much of it')
    },
  }
}

const filesIn = ({ described }: Entry) =>
  Object.entries(described.columns).flatMap(([name, { file }]) => (file ? [[name, file] as const] : []))

/** Each row as a JSON text, the place it is stored at, and for each of its files how long it is and what it is called. */
async function* rowsOf(session: Session, model: Model, found: Found, entry: Entry): AsyncGenerator<Row> {
  const bound = bindings()
  const { table, described } = entry
  const shown = Object.keys(described.columns).filter(name => !described.columns[name]?.file)
  const fields = shown.map(name => {
    const held = column('t', name)
    const isBytes = table.columns.get(name)?.base === 'bytea'
    return `${isBytes ? `translate(encode(${held}, 'base64'), E'\\n', '')` : held} AS ${quoted(name)}`
  })
  const files = filesIn(entry).map(
    ([name, { name: title }]) =>
      `octet_length(${column('t', name)}), ${title === undefined ? 'NULL' : `${column('t', title)}::text`}`,
  )
  const order = table.primaryKey.length > 0 ? `ORDER BY ${table.primaryKey.map(name => column('t', name)).join(', ')}` : ''
  await session.query(
    `DECLARE rows_of_one NO SCROLL CURSOR FOR
     SELECT row_to_json((SELECT r FROM (SELECT ${fields.join(', ')}) r))::text, t.tableoid || ' ' || t.ctid${files.map(file => `, ${file}`).join('')}
     FROM ${qualified(table)} t WHERE ${standing(reachFor(model, found, bound), entry, 't', bound)} ${order}`,
    bound.values,
  )
  let atOnce = ROWS.first
  for (;;) {
    const rows = await session.query(`FETCH ${atOnce} FROM rows_of_one`)
    yield* rows
    if (rows.length < atOnce) break
    const average = rows.reduce((sum, [json]) => sum + textOf(json).length, 0) / rows.length
    atOnce = Math.max(1, Math.min(ROWS.most, Math.floor(AT_ONCE / Math.max(1, average))))
  }
  await session.query('CLOSE rows_of_one')
}

async function* piecesOf(session: Session, { entry, column: name, row }: { entry: Entry; column: string; row: string }) {
  const [partition, place] = row.split(' ')
  for (let at = 1; ; at += PIECE) {
    const [piece] = await session.query(
      `SELECT encode(substring(${column('t', name)} FROM $1::int FOR $2::int), 'base64') FROM ${qualified(entry.table)} t
       WHERE t.ctid = $3::tid AND t.tableoid = $4::oid`,
      [at, PIECE, place, partition],
    )
    const bytes = Buffer.from(textOf(piece?.[0]), 'base64')
    if (bytes.length > 0) yield bytes
    if (bytes.length < PIECE) return
  }
}
