import pg from 'pg'
import { OutboundError } from '../platform/outbound.ts'

/** Every value as PostgreSQL writes it: nothing is rounded, and no local midnight is made of a day. */
export type Row = readonly (string | null)[]

export interface Session {
  query(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** @returns how many rows were changed */
  change(text: string, values?: readonly unknown[]): Promise<number>
}

/** Of one cell; an empty text for none. */
export const textOf = (value: string | null | undefined): string => value ?? ''
export const numberOf = (row: Row | undefined, at = 0): number => Number(row?.[at] ?? 0)

const asWritten = { getTypeParser: () => (value: string) => value }

/**
 * Opens a connection, has it used and closes it, whatever happens. A signal ends it at once: what was not committed is undone.
 * @throws OutboundError when it could not be opened, or was ended; DatabaseError as the database has it
 */
export async function withSession<T>(
  config: pg.ClientConfig,
  work: (session: Session) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const client = new pg.Client({ connectionTimeoutMillis: 10_000, application_name: 'dsar', types: asWritten, ...config })
  const destroy = () => void client.connection.stream.destroy(new Error('ended'))
  client.on('error', () => {}) // whoever asks next is told
  signal?.addEventListener('abort', destroy, { once: true })
  try {
    if (signal?.aborted) throw new OutboundError('aborted', 'the caller ended the call')
    await client.connect()
    return await work(sessionOf(client))
  } catch (error) {
    throw signal?.aborted ? new OutboundError('aborted', 'the caller ended the call') : error
  } finally {
    signal?.removeEventListener('abort', destroy)
    await client.end().catch(() => {})
  }
}

const sessionOf = (client: pg.Client): Session => ({
  query: async (text, values) => (await client.query<string[]>({ text, values: [...(values ?? [])], rowMode: 'array' })).rows,
  change: async (text, values) => (await client.query(text, [...(values ?? [])])).rowCount ?? 0,
})

/** A transaction gives up rather than hang, on others' locks and on us; and says so where row security would hide rows from it. */
const SETTINGS = Object.entries({
  statement_timeout: '60s',
  lock_timeout: '5s',
  idle_in_transaction_session_timeout: '120s',
  row_security: 'off',
  TimeZone: 'UTC',
  DateStyle: 'ISO',
  IntervalStyle: 'iso_8601',
}).map(([name, value]) => `SET LOCAL ${name} = '${value}'`)

const BEGIN = { reading: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', changing: 'BEGIN ISOLATION LEVEL READ COMMITTED' }

/** `reading` sees one moment of the database from beginning to end, and can change nothing. */
export async function inTransaction<T>(session: Session, what: keyof typeof BEGIN, work: () => Promise<T>): Promise<T> {
  await session.query([BEGIN[what], ...SETTINGS].join('; '))
  try {
    const done = await work()
    await session.query('COMMIT')
    return done
  } catch (error) {
    await session.query('ROLLBACK').catch(() => {})
    throw error
  }
}
