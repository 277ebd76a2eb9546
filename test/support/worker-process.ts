import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Service } from './service.ts'

/** A process of the service, started as an operator starts it. */
export interface ServiceProcess {
  pid: number
  /** Resolves when it says that it has started. @throws with what it wrote when it ends instead */
  started: Promise<void>
  exited: Promise<{ code: number | null; signal: string | null; stderr: string }>
  kill(signal: NodeJS.Signals): void
}

/** Whatever else is set on this machine stays out. */
export function startProcess(env: Record<string, string>): ServiceProcess {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stderr = text(child.stderr)
  const exited = once(child, 'exit').then(async ([code, signal]) => ({ code, signal, stderr: await stderr }))
  let log = ''
  const started = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', chunk => {
      log += chunk
      if (log.includes('"msg":"started"')) resolve()
    })
    exited.then(({ stderr: why }) => reject(new Error(`It ended before it had started. ${log} ${why}`)))
  })
  started.catch(() => {})
  return { pid: child.pid as number, started, exited, kill: signal => child.kill(signal) }
}

/** One more process over the database, the blobs and the mailbox of a service that runs in this one. */
export function startWorker({ config, issuer }: Service, env: Record<string, string> = {}): ServiceProcess {
  return startProcess({
    ROLE: 'worker',
    DATABASE_URL: config.databaseUrl,
    SMTP_URL: config.smtpUrl,
    MAIL_FROM: config.mailFrom.address,
    PUBLIC_URL: config.publicUrl,
    BLOB_STORE_URL: config.blobStoreUrl,
    AUTH_ISSUERS: JSON.stringify(issuer.issuers),
    VAULT_KEY_FILE: config.vaultKeyFile,
    ADAPTER_ALLOWED_HOSTS: config.adapterAllowedHosts.join(','),
    FILE_HOSTS: config.fileHosts.join(','),
    ...env,
  })
}
