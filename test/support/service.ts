import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { CALL_LIMITS, type CallLimits } from '../../src/adapters/call-limits.ts'
import { type App, createApp } from '../../src/app.ts'
import type { Issuer } from '../../src/auth/issuers.ts'
import { type Config, readConfig } from '../../src/config.ts'
import { type Mailbox, startMailbox } from '../../src/demo/mailbox.ts'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { createLog } from '../../src/platform/log.ts'
import { generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { createDatabase } from './database.ts'

/** A clock that runs with the real one and can be moved away from it. */
export interface MovableClock extends Clock {
  advance(milliseconds: number): void
  /** Moves this clock alone: tokens and adapters go on living in the present. */
  advanceAlone(milliseconds: number): void
  real(): Date
}

export interface Service {
  app: App
  config: Config
  url: string
  clock: MovableClock
  mailbox: Mailbox
  issuer: TokenIssuer
  /** Every log line so far. */
  logs: string[]
  blobDir: string
  /** Runs SQL as the owner of the database. */
  sql<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>
  /** Opens one more connection, for a transaction that is held open. The service closes it. */
  connect(): Promise<pg.Client>
  close(): Promise<void>
}

export interface ServiceOptions {
  env?: Record<string, string>
  /** Trusted besides its own. */
  issuers?: readonly Issuer[]
  /** Whether this process works off the queue as well. */
  working?: boolean
  /** Shorter than a test waits. */
  callLimits?: Partial<CallLimits>
}

function movable(): MovableClock {
  let ahead = 0
  let alone = 0
  return {
    now: () => new Date(Date.now() + ahead + alone),
    real: () => new Date(Date.now() + ahead),
    advance: milliseconds => {
      ahead += milliseconds
    },
    advanceAlone: milliseconds => {
      alone += milliseconds
    },
  }
}

/** Loading all this stalls the process for seconds on a busy machine, and a service that was stalled turns calls away for a moment. */
async function takesCalls(url: string, issuer: TokenIssuer): Promise<void> {
  const headers = { authorization: `Bearer ${issuer.mint('support_agent', { sub: 'nobody', roles: ['agent'] })}` }
  for (let tries = 0; tries < 200; tries++) {
    const { status } = await fetch(`${url}/v1/requests?limit=1`, { headers })
    if (status === 200) return
    await new Promise(next => setTimeout(next, 100))
  }
  throw new Error('The service takes no calls.')
}

/** The whole service in this process, on a database, a mail server, a blob store and an issuer of its own. */
export async function startService({
  env = {},
  issuers = [],
  working = true,
  callLimits,
}: ServiceOptions = {}): Promise<Service> {
  const clock = movable()
  const [database, mailbox, issuer] = await Promise.all([
    createDatabase(),
    startMailbox(),
    startTokenIssuer({ clock: { now: clock.real } }),
  ])
  const dir = mkdtempSync(join(tmpdir(), 'dsar-'))
  const vaultKeyFile = join(dir, 'vault.json')
  writeFileSync(vaultKeyFile, generateVaultKeyFile(), { mode: 0o600 })
  const blobDir = join(dir, 'blobs')
  const config = readConfig({
    DATABASE_URL: database.url,
    DATABASE_POOL: '10',
    SMTP_URL: mailbox.smtpUrl,
    MAIL_FROM: 'privacy@almastack.example',
    PUBLIC_URL: 'http://127.0.0.1:8080',
    BLOB_STORE_URL: pathToFileURL(blobDir).href,
    AUTH_ISSUERS: JSON.stringify([...issuer.issuers, ...issuers]),
    VAULT_KEY_FILE: vaultKeyFile,
    LOG_LEVEL: 'debug',
    RATE_PER_CALLER: '100000',
    RATE_PER_ADDRESS: '100000',
    GUESS_BUDGET: '1000000',
    ...env,
  })
  const logs: string[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      logs.push(String(chunk))
      done()
    },
  })
  const log = createLog({ level: config.logLevel, destination })
  const app = await createApp(config, { clock, log, random: () => 0, callLimits: { ...CALL_LIMITS, ...callLimits } }) // what failed is tried again after the shortest wait there is
  await app.server.listen({ host: '127.0.0.1', port: 0 })
  if (working) await app.startWorking()
  const url = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`
  await takesCalls(url, issuer)

  const clients: pg.Client[] = []
  const connect = async () => {
    const client = new pg.Client({ connectionString: config.databaseUrl })
    client.on('error', () => {}) // of a database that a test stops, its next query tells
    await client.connect()
    clients.push(client)
    return client
  }
  const owner = await connect()
  return {
    app,
    config,
    url,
    clock,
    mailbox,
    issuer,
    logs,
    blobDir,
    sql: async (text, values) => (await owner.query(text, values)).rows,
    connect,
    async close() {
      await app.close()
      await Promise.all(clients.map(client => client.end()))
      await Promise.all([mailbox.close(), issuer.close()])
      await database.drop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
