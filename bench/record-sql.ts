import { appendFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import pg from 'pg'

// Writes down each statement that the service's own pool executes, one JSON line each. `node --import ./bench/record-sql.ts src/main.ts`

const FILE = process.env.RECORD_SQL ?? ''
// What the driver itself makes of a value; its types say nothing of it.
const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as { prepareValue(value: unknown): unknown }

export interface Recording {
  text: string
  /** As they travel: text, or bytes in hexadecimal with `\x` before them. */
  values: (string | null)[]
}

const asText = (value: unknown): string | null => {
  const prepared = prepareValue(value)
  if (Buffer.isBuffer(prepared)) return `\\x${prepared.toString('hex')}`
  return prepared === null || prepared === undefined ? null : String(prepared)
}

const query = pg.Client.prototype.query
pg.Client.prototype.query = function (this: pg.Client, ...asked: unknown[]) {
  const [first, second] = asked
  const { text, values } = typeof first === 'string' ? { text: first, values: second } : (first as pg.QueryConfig)
  const { application_name: from } = (this as pg.Client & { connectionParameters: Record<string, unknown> }).connectionParameters
  if (typeof text === 'string' && from === 'dsar') {
    const recording: Recording = { text, values: Array.isArray(values) ? values.map(asText) : [] }
    appendFileSync(FILE, `${JSON.stringify(recording)}\n`)
  }
  return Reflect.apply(query, this, asked)
} as typeof query
