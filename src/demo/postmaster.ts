import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

/** A running server as its own `postmaster.pid` names it. */
export interface Postmaster {
  pid: number
  port: number
}

/** The server that runs on this data directory. A lock file left by a dead one is removed: process ids are used again. */
export function findPostmaster(data: string): Postmaster | undefined {
  const lock = join(data, 'postmaster.pid')
  if (!existsSync(lock)) return undefined
  const [pid, , , port] = readFileSync(lock, 'utf8').split('\n').map(Number)
  if (pid && isPostgres(pid)) return { pid, port: port ?? 0 }
  rmSync(lock, { force: true })
  return undefined
}

/** Whether it is this very cluster that answers at the address: the password fits and the directory is the one meant. */
export async function answers(url: string, data: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {}) // a server going away while it is asked is an answer too: the query below rejects
  try {
    await client.connect()
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory')
    return resolve(rows[0]?.data_directory ?? '') === data
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Fast shutdown: open transactions are rolled back, what is committed is written. Resolves once the process is gone. */
export async function stopPostmaster(pid: number): Promise<void> {
  if (!isAlive(pid)) return
  process.kill(pid, 'SIGINT')
  if (!(await waitFor(() => !isAlive(pid), 30_000))) throw new Error(`PostgreSQL (process ${pid}) does not stop.`)
}

/** Asks again and again until the answer is yes. @returns whether it ever was within the milliseconds. */
export async function waitFor(condition: () => boolean | Promise<boolean>, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds
  while (!(await condition())) {
    if (performance.now() > until) return false
    await pause(10)
  }
  return true
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // alive, and somebody else's
  }
}

function isPostgres(pid: number): boolean {
  if (!isAlive(pid)) return false
  const name = `/proc/${pid}/comm`
  if (existsSync(name)) return readFileSync(name, 'utf8').startsWith('postgres')
  const ps = spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' })
  return ps.error !== undefined || ps.stdout.includes('postgres') // nothing to ask: rather too careful than two servers on one directory
}
