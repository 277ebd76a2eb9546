import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { type App, createApp } from '../app.ts'
import { readConfig } from '../config.ts'
import { migrate } from '../migrate.ts'
import { systemClock } from '../platform/clock.ts'
import { createLog, type LogLevel } from '../platform/log.ts'
import { generateVaultKeyFile } from '../platform/vault-key-file.ts'
import { startPostgres, urlOf } from './embedded-postgres.ts'
import { type Lms, startLms } from './lms/lms.ts'
import { CHECK_PEOPLE } from './lms/population.ts'
import { type Mailbox, startMailbox } from './mailbox.ts'
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts'

/** Everything the service needs around it, on this machine alone, and gone when it is closed. */
export interface House {
  app: App
  url: string
  mailbox: Mailbox
  issuer: TokenIssuer
  lms: Lms
  lmsUrl: string
  close(): Promise<void>
}

/** Who gets the alarms. */
export const OFFICER = 'privacy-officer@almastack.example'

const HALF_A_DAY = 12 * 3600

/** Starts a database, a mail server, an identity provider, a learning platform of five services, and the service itself. */
export async function openHouse(
  tell: (line: string) => void,
  { port = 8080, logLevel = 'warn' as LogLevel } = {},
): Promise<House> {
  const dir = mkdtempSync(join(tmpdir(), 'dsar-demo-'))
  chmodSync(dir, 0o711) // the database may run under another account, and its files are to go with the rest
  const closing: (() => Promise<unknown> | unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    const dataDir = join(dir, 'postgres')
    mkdirSync(dataDir)
    const postgres = await startPostgres({ dataDir })
    closing.push(postgres.stop)
    tell(`PostgreSQL is up on 127.0.0.1:${postgres.port}`)

    const [databaseUrl, lmsUrl] = await createDatabases(postgres.url)
    await migrate({ databaseUrl })
    const mailbox = await startMailbox()
    closing.push(mailbox.close)
    const issuer = await startTokenIssuer()
    closing.push(issuer.close)
    const lms = await startLms({ databaseUrl: lmsUrl })
    closing.push(lms.close)
    tell(`five adapters are up: ${lms.adapters.map(({ name }) => name).join(', ')}`)

    const free = await freePort(port)
    const url = `http://127.0.0.1:${free}`
    const log = createLog({ level: logLevel })
    closing.push(() => Object.assign(log, { level: 'silent' })) // what a connection says that the database cuts off as it goes
    const app = await createApp(
      readConfig({
        ...environmentIn(dir, { issuer, lms }),
        DATABASE_URL: databaseUrl,
        SMTP_URL: mailbox.smtpUrl,
        PUBLIC_URL: url,
        LOG_LEVEL: logLevel,
      }),
      { log },
    )
    closing.push(app.close)
    await app.server.listen({ host: '127.0.0.1', port: free })
    await app.startWorking()
    tell(`the service is up at ${url}`)
    return { app, url, mailbox, issuer, lms, lmsUrl, close }
  } catch (error) {
    await close()
    throw error
  }
}

function environmentIn(dir: string, { issuer, lms }: Pick<House, 'issuer' | 'lms'>): Record<string, string> {
  const vaultKeyFile = join(dir, 'vault.json')
  writeFileSync(vaultKeyFile, generateVaultKeyFile(), { mode: 0o600 })
  return {
    MAIL_FROM: 'privacy@almastack.example',
    BLOB_STORE_URL: pathToFileURL(join(dir, 'blobs')).href,
    AUTH_ISSUERS: JSON.stringify(issuer.issuers.map(one => ({ ...one, maxAge: HALF_A_DAY }))),
    VAULT_KEY_FILE: vaultKeyFile,
    ADAPTER_ALLOWED_HOSTS: lms.adapters.map(adapter => new URL(adapter.url).host).join(','),
    CHECK_SUBJECTS: CHECK_PEOPLE.map(({ userId, email }) => `user_id=${userId}&email=${email}`).join(','),
    PRIVACY_OFFICER: OFFICER,
    TEST_MODE: 'true',
  }
}

async function createDatabases(url: string): Promise<[string, string]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('CREATE DATABASE dsar')
    await client.query('CREATE DATABASE lms')
  } finally {
    await client.end()
  }
  return [urlOf(url, 'dsar'), urlOf(url, 'lms')]
}

/** The port asked for, or any other when somebody has it. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', () => (wanted === 0 ? reject(new Error('no free port')) : freePort(0).then(resolve, reject)))
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

/** A token for half a day, to try things by hand. */
export const tokenFor = (
  issuer: TokenIssuer,
  kind: 'service' | 'support_agent' | 'portal',
  claims: Record<string, unknown>,
): string => {
  const now = Math.floor(systemClock.now().getTime() / 1000)
  return issuer.mint(kind, { iat: now, exp: now + HALF_A_DAY, ...claims })
}
