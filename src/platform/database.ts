import pg from 'pg'
import { DataSource, type EntityManager, type EntitySchema } from 'typeorm'

/** A transaction in progress. Whoever takes one is a step in it: opens no other and talks to nobody outside. */
export type Tx = EntityManager
export type Transact = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>

export interface Database {
  transact: Transact
  /** Reads outside any transaction. */
  read: Tx
  close(): Promise<void>
}

export interface DatabaseOptions {
  url: string
  /** Role the sessions act in, so that the rights of whoever logs in (perhaps the owner) are not the service's. */
  role?: string
  tables: EntitySchema[]
  poolSize?: number
  onError?: (error: Error) => void
}

// Days stay days: the driver's default would make a local midnight of them. Counts and sizes fit a double (2^53).
pg.types.setTypeParser(pg.types.builtins.DATE, (value: string) => value)
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** What PostgreSQL is asked to do for every session: give up rather than hang on locks, on statements and on forgotten transactions. */
export function sessionOptions(role?: string): string {
  const settings = {
    lock_timeout: '10s',
    statement_timeout: '60s',
    idle_in_transaction_session_timeout: '60s',
    ...(role && { role }),
  }
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

/** Errors after which the same transaction may simply be tried again: serialization failure and deadlock. */
const RETRYABLE = new Set(['40001', '40P01'])

/** Opens the pool and checks that the database answers. @throws when it does not. */
export async function openDatabase({ url, role, tables, poolSize = 20, onError }: DatabaseOptions): Promise<Database> {
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: tables,
    poolSize,
    installExtensions: false,
    poolErrorHandler: onError ?? (() => {}),
    extra: { options: sessionOptions(role), connectionTimeoutMillis: 5000, keepAlive: true, application_name: 'dsar' },
  })
  await source.initialize()
  return {
    transact: work => transactWithRetry(source, work, 3),
    read: source.manager,
    close: () => source.destroy(),
  }
}

async function transactWithRetry<T>(source: DataSource, work: (tx: Tx) => Promise<T>, tries: number): Promise<T> {
  try {
    return await source.transaction(work)
  } catch (error) {
    const code = (error as { code?: string }).code
    if (tries <= 1 || !code || !RETRYABLE.has(code)) throw error
    return transactWithRetry(source, work, tries - 1)
  }
}
