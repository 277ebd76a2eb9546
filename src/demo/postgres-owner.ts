import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The account PostgreSQL runs under; empty when it is simply ours. Spread into `spawn` options. */
export type Owner = { uid: number; gid: number } | Record<string, never>

/**
 * PostgreSQL refuses to run as root, so root lends it the account `postgres`, else `nobody`.
 * Accounts are only ever looked up: a demo has no business adding users to somebody's machine.
 */
export function ownerOfServer(): Owner {
  if (process.getuid?.() !== 0) return {}
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find(line => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(
    'PostgreSQL does not run as root and there is neither a user "postgres" nor "nobody". ' +
      'Start this as another user, or set DATABASE_URL to a database of your own.',
  )
}

/** Whether the owner gets as far as this directory: below a home of mode 700 only root and its user do. */
export function reaches(owner: Owner, directory: string): boolean {
  return owner.uid === undefined || spawnSync('test', ['-x', directory], { ...owner, cwd: '/' }).status === 0
}
