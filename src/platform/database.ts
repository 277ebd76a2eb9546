import { createHash } from 'node:crypto'
import { Socket } from 'node:net'
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
  /** How long a statement may take. */
  patienceSeconds?: number
  onError?: (error: Error) => void
}

// Days stay days: the driver's default would make a local midnight of them. Counts and sizes fit a double (2^53).
pg.types.setTypeParser(pg.types.builtins.DATE, (value: string) => value)
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** No statement of ours takes as long. */
const PATIENCE_SECONDS = 25

/**
 * Makes connections that end themselves when the other end is gone without a word (a host that lost its power, a partition):
 * nothing has come or gone for longer than any statement may take. Without that, whoever waits would wait until TCP gives up,
 * a quarter of an hour later. One that was merely idle ends as well, and is opened anew.
 */
export const endingInSilence =
  (patienceSeconds = PATIENCE_SECONDS) =>
  (): Socket =>
    new Socket().setTimeout(patienceSeconds * 1200, function (this: Socket) {
      this.destroy(new Error('Connection terminated: the database has been silent for too long'))
    })

/** Each connection keeps so many statements at most; the rest are parsed and planned anew every time. */
const PREPARED_AT_MOST = 400
const statementNames = new Map<string, string>()

function statementName(text: string): string | undefined {
  const known = statementNames.get(text)
  if (known || statementNames.size >= PREPARED_AT_MOST) return known
  const name = createHash('sha256').update(text).digest('base64url')
  statementNames.set(text, name)
  return name
}

/** What reads, and changes on the way: not what begins, ends or listens, and not several statements in one text. */
const ONE_QUERY = /^\s*(SELECT|WITH)\b[^;]*$/

const isPrepared = (text: string, values: unknown): boolean =>
  (Array.isArray(values) && values.length > 0) || ONE_QUERY.test(text)

/**
 * A connection on which every statement with parameters, and every query without, is prepared under a name: the database parses
 * and plans it once, not each time, which is half of what a small statement costs it. Names come from the text, and texts never
 * hold data.
 */
export class PreparingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    // A connection that is ended while it changes hands tells nobody, and what nobody hears ends the process. Its statements fail all the same.
    this.on('error', () => {})
  }

  // The driver's method has a dozen signatures; the pools that use this one call it with a text, its values and perhaps a callback.
  override query(...asked: unknown[]): never {
    const [text, values, ...rest] = asked
    const name = typeof text === 'string' && isPrepared(text, values) ? statementName(text) : undefined
    return Reflect.apply(super.query, this, name ? [{ name, text, values }, ...rest] : asked) as never
  }
}

/** In a transaction that has failed, every further statement fails with this, which says nothing of the cause. */
const FAILED_BEFORE = '25P02'

/**
 * A connection that waits less. What is asked in one turn travels together and is done in its order, and nobody waits for the beginning of a transaction,
 * nor for what `write` writes. None of it goes unheeded: a transaction in which a statement failed does not commit, and its next
 * statement or its end fails with the same error.
 */
class EagerClient extends PreparingClient {
  #unheard: Promise<unknown>[] = []
  #gathering = false

  send(text: string, values?: unknown[]): void {
    const answer = this.#gathered(text, values)
    answer.catch(() => {})
    this.#unheard.push(answer)
  }

  override query(...asked: unknown[]): never {
    const [text] = asked
    if (text === 'START TRANSACTION') {
      this.#unheard = []
      this.send(text)
      return Promise.resolve({ rows: [] }) as never
    }
    const answer = this.#gathered(...asked)
    const heeded = text === 'COMMIT' ? Promise.all([answer, ...this.#unheard]).then(([done]) => done) : this.#explained(answer)
    return heeded as never
  }

  #gathered(...asked: unknown[]): Promise<unknown> {
    if (!this.#gathering) {
      this.#gathering = true
      this.connection.stream.cork()
      process.nextTick(() => {
        this.#gathering = false
        this.connection.stream.uncork()
      })
    }
    return super.query(...asked)
  }

  async #explained(answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer
    } catch (error) {
      if ((error as { code?: string }).code === FAILED_BEFORE) await Promise.all(this.#unheard)
      throw error
    }
  }
}

/** Writes something in a transaction without waiting for it: what is wrong with it shows at the next statement, or at the end. */
export async function write(tx: Tx, text: string, values: unknown[]): Promise<void> {
  const client: unknown = await tx.queryRunner?.connect()
  if (client instanceof EagerClient && tx.queryRunner?.isTransactionActive) client.send(text, values)
  else await tx.query(text, values)
}

/** What PostgreSQL is asked to do for every session: give up rather than hang on locks, on statements and on forgotten transactions. */
export function sessionOptions(role?: string, patienceSeconds = PATIENCE_SECONDS): string {
  const settings = {
    lock_timeout: '10s',
    statement_timeout: `${patienceSeconds}s`,
    idle_in_transaction_session_timeout: `${patienceSeconds}s`,
    ...(role && { role }),
  }
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

/** Errors after which the same transaction may simply be tried again: serialization failure and deadlock. */
const RETRYABLE = new Set(['40001', '40P01'])

/** Opens the pool and checks that the database answers. @throws when it does not. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, role, tables, poolSize = 20, patienceSeconds, onError } = options
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: tables,
    poolSize,
    installExtensions: false,
    poolErrorHandler: onError ?? (() => {}),
    extra: {
      Client: EagerClient,
      pipeline: true,
      options: sessionOptions(role, patienceSeconds),
      stream: endingInSilence(patienceSeconds),
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      application_name: 'dsar',
    },
  })
  await source.initialize()
  return {
    transact: work => transact(source, work),
    read: source.manager,
    close: () => source.destroy(),
  }
}

const afterwards = new WeakMap<Tx, (() => void)[]>()

/** Has something done once the transaction is committed, and never if it is not: what is true only then, and lives in this process alone. */
export function afterCommit(tx: Tx, work: () => void): void {
  afterwards.set(tx, [...(afterwards.get(tx) ?? []), work])
}

async function transact<T>(source: DataSource, work: (tx: Tx) => Promise<T>): Promise<T> {
  const { result, tx } = await commit(source, work, 3)
  for (const one of afterwards.get(tx) ?? []) one()
  return result
}

async function commit<T>(source: DataSource, work: (tx: Tx) => Promise<T>, tries: number): Promise<{ result: T; tx: Tx }> {
  try {
    return await source.transaction(async tx => ({ result: await work(tx), tx }))
  } catch (error) {
    const code = (error as { code?: string }).code
    if (tries <= 1 || !code || !RETRYABLE.has(code)) throw error
    return commit(source, work, tries - 1)
  }
}

/** Whether what is said to the database of an address can be read on the way there. */
export function isRemoteInClear(databaseUrl: string): boolean {
  const url = URL.parse(databaseUrl)
  const here = ['', 'localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '')
  return !here && ['', 'disable', 'allow', 'prefer'].includes(url?.searchParams.get('sslmode') ?? '')
}
