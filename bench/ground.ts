import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import closeWithGrace from 'close-with-grace'
import pg from 'pg'
import type { ProcessRole } from '../src/config.ts'
import { apiClient } from '../src/demo/client.ts'
import { startPostgres, urlOf } from '../src/demo/embedded-postgres.ts'
import type { RunningAdapter } from '../src/demo/lms/lms.ts'
import { startMailbox } from '../src/demo/mailbox.ts'
import { startTokenIssuer, type TokenIssuer } from '../src/demo/token-issuer.ts'
import { migrate } from '../src/migrate.ts'
import { generateVaultKeyFile } from '../src/platform/vault-key-file.ts'

// What every benchmark stands on: a database of its own with usual, durable settings, five adapters in one process and the service
// in another. This process holds the mail server and the identity provider, and makes the load.

export interface Ground {
  databaseUrl: string
  lmsUrl: string
  /** Where temporary files of the benchmark may go. */
  dir: string
  issuer: TokenIssuer
  adapters: readonly RunningAdapter[]
  /** The process of the adapters. */
  lmsPid: number
  /** The owner of the service's database. */
  sql<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>
  startService(role: ProcessRole, options?: { nodeArguments?: string[]; env?: Record<string, string> }): Promise<Service>
  close(): Promise<void>
}

export interface Service {
  url: string
  pid: number
  stop(): Promise<void>
}

/** What `npm start` gives to node. */
const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  scripts: { start: string }
}
const START = scripts.start.split(' ').slice(1)

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The adapters are the five of a learning platform unless that many quick ones are asked for. */
export async function openGround({ quickAdapters }: { quickAdapters?: number } = {}): Promise<Ground> {
  const dir = mkdtempSync(join(tmpdir(), 'dsar-bench-'))
  chmodSync(dir, 0o711) // the database may run under another account, and its files are to go with the rest
  const closing: (() => Promise<unknown> | unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
  const closeAll = async () => {
    for (const step of closing.splice(0).reverse()) await step()
    grace.uninstall()
  }
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= closeAll()
    return closed
  }
  const grace = closeWithGrace({ delay: 30_000 }, close) // ended from outside, it leaves nothing behind either
  try {
    mkdirSync(join(dir, 'postgres'))
    const postgres = await startPostgres({ dataDir: join(dir, 'postgres') })
    closing.push(postgres.stop)
    const databaseUrl = await createDatabase(postgres.url, 'dsar')
    const lmsUrl = await createDatabase(postgres.url, 'lms')
    await migrate({ databaseUrl })
    const mailbox = await startMailbox()
    closing.push(mailbox.close)
    const issuer = await startTokenIssuer()
    closing.push(issuer.close)
    const [script, argument] = quickAdapters ? ['quick-adapters.ts', String(quickAdapters)] : ['lms-process.ts', lmsUrl]
    const lms = fork(join(ROOT, 'bench', script), [argument], { cwd: ROOT })
    closing.push(() => stopChild(lms, () => lms.disconnect()))
    const adapters = await adaptersOf(lms)
    const vaultKeyFile = join(dir, 'vault.json')
    writeFileSync(vaultKeyFile, generateVaultKeyFile(), { mode: 0o600 })
    const owner = new pg.Client({ connectionString: databaseUrl })
    await owner.connect()
    closing.push(() => owner.end())

    const env = {
      DATABASE_URL: databaseUrl,
      SMTP_URL: mailbox.smtpUrl,
      MAIL_FROM: 'privacy@almastack.example',
      BLOB_STORE_URL: pathToFileURL(join(dir, 'blobs')).href,
      AUTH_ISSUERS: JSON.stringify(issuer.issuers),
      VAULT_KEY_FILE: vaultKeyFile,
      ADAPTER_ALLOWED_HOSTS: adapters.map(({ url }) => new URL(url).host).join(','),
      LOG_LEVEL: 'warn',
      RATE_PER_CALLER: '1000000',
      RATE_PER_ADDRESS: '1000000',
    }
    return {
      databaseUrl,
      lmsUrl,
      dir,
      issuer,
      adapters,
      lmsPid: lms.pid as number,
      sql: async (text, values) => (await owner.query(text, values)).rows,
      async startService(role, { nodeArguments = [], env: more = {} } = {}) {
        const service = await launchService({ ...env, ...more, ROLE: role }, nodeArguments, join(dir, 'service.log'))
        closing.push(service.stop)
        return service
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function adaptersOf(child: ChildProcess): Promise<RunningAdapter[]> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The adapters do not start.')))
  ended.catch(() => {}) // later, they are meant to end
  const [adapters] = await Promise.race([once(child, 'message'), ended])
  return adapters
}

async function launchService(env: Record<string, string>, nodeArguments: string[], logFile: string): Promise<Service> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const log = openSync(logFile, 'a')
  // The allocator as in the image.
  const child = spawn(process.execPath, [...nodeArguments, ...START], {
    cwd: ROOT,
    env: { ...process.env, MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072', ...env, PORT: String(port), PUBLIC_URL: url },
    stdio: ['ignore', log, log],
  })
  for (let tries = 0; !(await isReady(url)); tries++) {
    if (child.exitCode !== null || tries > 300) throw new Error(`The service does not start:\n${readFileSync(logFile, 'utf8')}`)
    await pause(100)
  }
  return { url, pid: child.pid as number, stop: () => stopChild(child, () => child.kill('SIGTERM')) }
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

async function stopChild(child: ChildProcess, ask: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  const killing = setTimeout(() => child.kill('SIGKILL'), 30_000)
  ask()
  await gone
  clearTimeout(killing)
}

async function createDatabase(url: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name}`)
  } finally {
    await client.end()
  }
  return urlOf(url, name)
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

export const pause = (milliseconds: number): Promise<void> => new Promise(next => setTimeout(next, milliseconds))

/** A token of a service that may open requests, good for five minutes. */
export const serviceToken = ({ issuer }: Ground): string =>
  issuer.mint('service', { sub: 'crm', client_id: 'crm', scope: 'requests:open requests:read' })

/** Puts all adapters into the register, allowed as many calls as they can take: what is measured is the service, not its patience. */
export async function registerAdapters({ adapters, issuer, sql }: Ground, { url }: Service): Promise<void> {
  const operator = apiClient(url, issuer.mint('support_agent', { sub: 'operator-1', roles: ['operator'] }))
  for (const { name, url: baseUrl, secret } of adapters) await operator('POST', '/v1/adapters', { baseUrl, secret, title: name })
  // Adapters that passed their check: what is measured is how they are asked.
  await sql(`UPDATE adapter SET state = 'live', approved_version = contact_version, live_since = created_at`)
  await sql('UPDATE adapter SET per_minute = 1000000, allowance = 1000000, concurrency = 16')
}

/** Opens a request for a person whom the calling service vouches for, so that it runs to its end by itself. @returns its id */
export async function openVouched(
  ground: Ground,
  { url }: Service,
  person: { userId: string; email: string },
  type = 'access',
): Promise<string> {
  const call = apiClient(url, serviceToken(ground))
  const { id } = await call<{ id: string }>('POST', '/v1/requests', {
    type,
    subject: {
      identities: [
        { type: 'user_id', value: person.userId },
        { type: 'email', value: person.email },
      ],
      country: 'DE',
      locale: 'en',
    },
    channel: 'crm',
    assurance: { method: 'portal_login', level: 2, verifiedAt: new Date().toISOString() },
  })
  return id
}
