import type pg from 'pg'
import type { DatasetDefinition, DatasetDescription, Field, FileToSend } from '../../adapter-kit/adapter.ts'
import type { Known } from './known.ts'
import { countRows, effectsOn, type Rows } from './rows.ts'

interface Table extends Rows, Omit<DatasetDescription, 'fields'> {
  /** The column that holds the record as JSON on one line, where it isn't the row that is the record. */
  document?: string
}

const PAGE = 2_500
/** What is larger is fetched by a link. */
const INLINE = 16 * 1024

/** A dataset that is a table: `fields` are its columns. Its rows can be erased, restricted and freed again. */
export function fromTable(
  db: pg.Pool,
  { table, key, document, ...description }: Table,
  columns: Readonly<Record<string, Field['type'] | Omit<Field, 'name'>>>,
): DatasetDefinition<Known> {
  const names = Object.keys(columns)
  const selected = ['id', ...(document ? [document] : names)].join(', ')
  const sql = `select max(r.id), count(*)::int, string_agg(${document ?? 'row_to_json(r)'}::text, E'\\n') from
    (select ${selected} from ${table} where ${key} = $1 and id > $2 order by id limit ${PAGE}) r`
  return {
    ...description,
    ...effectsOn(db, { table, key }),
    fields: Object.entries(columns).map(([name, type]) => (typeof type === 'string' ? { name, type } : { name, ...type })),
    count: ({ keys }) => countRows(db, { table, key }, keys),
    async *records({ keys }) {
      for (const one of keys) yield* pages(async after => (await read<Page>(db, sql, [one, after]))[0])
    },
  }
}

/** A dataset of files: a table with `name`, `media_type`, `size` and `content`. Pair it with `openFileIn`. */
export function filesFromTable(db: pg.Pool, { table, key, ...description }: Table): DatasetDefinition<Known> {
  const sql = `select id, name, media_type, size, case when size <= ${INLINE} then content end
    from ${table} where ${key} = $1 and id > $2 order by id limit 50`
  return {
    ...description,
    ...effectsOn(db, { table, key }),
    count: ({ keys }) => countRows(db, { table, key }, keys),
    async *files({ keys }) {
      for (const one of keys) {
        for (let after = '0', rows: FileRow[] = []; ; after = rows.at(-1)?.[0] ?? '0') {
          rows = await read<FileRow>(db, sql, [one, after])
          yield* rows.map(fileOf)
          if (rows.length === 0) break
        }
      }
    },
  }
}

type FileRow = [id: string, name: string, mediaType: string, size: number, content: Buffer | null]

const fileOf = ([id, name, mediaType, size, content]: FileRow): FileToSend =>
  content ? { name, mediaType, content } : { name, mediaType, size, key: id }

export const openFileIn =
  (db: pg.Pool, table: string) =>
  async (id: string): Promise<Buffer | undefined> => {
    const { rows } = await db.query<{ content: Buffer }>(`select content from ${table} where id = $1`, [id])
    return rows[0]?.content
  }

type Page = [last: string | null, rows: number, json: string | null]

/**
 * Reads on while the page before is being sent. A page travels as one text of a line for each row (JSON of PostgreSQL has no line
 * breaks of its own): a million rows cost the driver a third of what they would one by one.
 */
async function* pages(next: (after: string) => Promise<Page | undefined>): AsyncGenerator<string[]> {
  let reading = next('0')
  for (;;) {
    const [last, rows, json] = (await reading) ?? [null, 0, null]
    if (last === null || json === null) return
    if (rows === PAGE) {
      reading = next(last)
      reading.catch(() => undefined) // told when it is awaited, unless nobody reads on
    }
    yield json.split('\n')
    if (rows < PAGE) return
  }
}

async function read<Row extends unknown[]>(db: pg.Pool, text: string, values: unknown[]): Promise<Row[]> {
  const { rows } = await db.query<Row>({ text, values, rowMode: 'array' })
  return rows
}
