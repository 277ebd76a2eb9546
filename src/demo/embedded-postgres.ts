import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findBinaries, lastingTemporaryDirectory } from './postgres-binaries.ts'
import { type Owner, ownerOfServer, reaches } from './postgres-owner.ts'
import { answers, findPostmaster, isAlive, stopPostmaster, waitFor } from './postmaster.ts'

export interface StartPostgres {
  /** Kept between starts; made when it does not exist. */
  dataDir: string
  /** false gives up all safety against a crash for speed: tests only. */
  durable?: boolean
  /** A free one if not given. A server found running keeps the port it has. */
  port?: number
}

export interface RunningPostgres {
  /** The superuser's, of the database `postgres`. It holds the password. */
  url: string
  port: number
  stop(): Promise<void>
}

const STARTUP = 30_000

/**
 * Starts a real PostgreSQL of our own on 127.0.0.1, making its cluster the first time. One that still runs on the
 * directory, because whoever started it was killed, is used as it is. It lives in a session of its own, so that
 * Ctrl-C reaches us alone and we stop it last.
 */
export async function startPostgres({ dataDir, durable = true, port }: StartPostgres): Promise<RunningPostgres> {
  const owner = ownerOfServer()
  const home = homeOf(dataDir, owner)
  const data = join(home, 'data')
  if (!existsSync(data)) await initialise(home, owner, durable)
  const password = readFileSync(join(home, 'password'), 'utf8')
  const urlAt = (at: number): string => `postgres://postgres:${password}@127.0.0.1:${at}/postgres`

  const found = findPostmaster(data)
  const { pid, port: at } = found ?? (await launch(home, owner, durable, port ?? (await freePort())))
  const url = urlAt(at)
  const ready = (await waitFor(async () => !isAlive(pid) || answers(url, data), STARTUP)) && isAlive(pid)
  if (!ready) {
    if (!found) await stopPostmaster(pid)
    throw new Error(`PostgreSQL (process ${pid}) on ${home} does not answer:\n${lastLines(join(home, 'log'))}`)
  }
  return { url, port: at, stop: () => stopPostmaster(pid) }
}

/** The same server and credentials, another database. */
export function urlOf(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${encodeURIComponent(database)}`
  return other.href
}

/** `cluster` in the directory: a folder, or a link to one elsewhere if the server's account cannot get to this directory. */
function homeOf(dataDir: string, owner: Owner): string {
  const home = join(dataDir, 'cluster')
  if (!existsSync(home)) {
    rmSync(home, { force: true }) // a link whose target was cleaned away
    mkdirSync(dataDir, { recursive: true })
    if (reaches(owner, dataDir)) mkdirSync(home)
    else symlinkSync(mkdtempSync(join(lastingTemporaryDirectory(), 'dsar-cluster-')), home)
  }
  const real = realpathSync(home)
  give(real, owner, 0o700)
  return real
}

function give(path: string, owner: Owner, mode: number): void {
  chmodSync(path, mode)
  if (owner.uid !== undefined) chownSync(path, owner.uid, owner.gid)
}

/** Made beside its final name and renamed when whole, so that a start that was interrupted leaves no half cluster. */
async function initialise(home: string, owner: Owner, durable: boolean): Promise<void> {
  const draft = join(home, 'data.new')
  const password = join(home, 'password')
  rmSync(draft, { recursive: true, force: true })
  writeFileSync(password, randomBytes(24).toString('base64url'), { mode: 0o600 })
  give(password, owner, 0o600)
  const options = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C']
  await promisify(execFile)(
    findBinaries(owner).initdb,
    [`--pgdata=${draft}`, `--pwfile=${password}`, ...options, ...(durable ? [] : ['--no-sync'])],
    { ...owner, cwd: '/' },
  )
  renameSync(draft, join(home, 'data'))
}

async function launch(home: string, owner: Owner, durable: boolean, port: number): Promise<{ pid: number; port: number }> {
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=', // none: a socket's path may have 107 bytes, and a checkout may lie deeper than that
    'max_connections=200',
    'log_error_verbosity=terse', // the details of an error and its statement hold personal data
    'log_min_error_statement=panic',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ]
  const log = openSync(join(home, 'log'), 'w', 0o600)
  const server = spawn(
    findBinaries(owner).postgres,
    ['-D', join(home, 'data'), ...settings.flatMap(setting => ['-c', setting])],
    { ...owner, cwd: '/', detached: true, stdio: ['ignore', log, log] },
  )
  closeSync(log)
  await once(server, 'spawn')
  server.unref()
  return { pid: server.pid as number, port }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

const lastLines = (file: string): string =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n') : ''
