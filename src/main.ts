import closeWithGrace from 'close-with-grace'
import { createApp } from './app.ts'
import { BadEnvironment, readConfig } from './config.ts'
import { migrate } from './migrate.ts'
import { createLog } from './platform/log.ts'

const GRACE_MS = 25_000

/** Reads the configuration, starts the role asked for, and shuts down in order. */
async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog({ level: config.logLevel })
  if (config.role === 'migrate') {
    await migrate(config)
    log.info('the database has the shape of this version')
    return
  }
  const app = await createApp(config, { log })
  const grace = closeWithGrace({ delay: GRACE_MS }, async ({ err }) => {
    if (err) log.fatal({ err }, 'stopping after an error nobody caught')
    await app.close()
    log.info('stopped')
  })
  try {
    if (config.role !== 'worker') await app.server.listen({ host: config.host, port: config.port })
    if (config.role !== 'api') await app.startWorking()
  } catch (error) {
    grace.uninstall() // or the process would end as if all had been well
    await app.close()
    throw error
  }
  log.info({ role: config.role, port: config.port }, 'started')
}

main().catch((error: Error) => {
  // Before there is a log, and for the eyes of whoever typed the command.
  const expected = error instanceof BadEnvironment || error.name === 'VaultUnusable' || 'code' in error
  process.stderr.write(`${expected ? error.message : (error.stack ?? error.message)}\n`)
  process.exitCode = 1
})
