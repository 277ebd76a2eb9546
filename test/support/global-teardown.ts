import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '../../src/demo/embedded-postgres.ts'

/**
 * Stops the run's PostgreSQL and leaves nothing of it behind.
 * @throws when two transactions of any test waited for each other: the service tries again, and nobody would notice the second it costs
 */
async function tearDown(): Promise<void> {
  const dataDir = process.env.DSAR_TEST_POSTGRES_DIR
  if (!dataDir) return
  const postgres = await startPostgres({ dataDir, durable: false }) // finds the one that runs
  await postgres.stop()
  const crosswise = readFileSync(join(dataDir, 'cluster', 'log'), 'utf8').split('deadlock detected').length - 1
  rmSync(dataDir, { recursive: true, force: true })
  if (crosswise > 0)
    throw new Error(`Transactions waited for each other ${crosswise} times: locks are taken in one order, see the README.`)
}

// biome-ignore lint/style/noDefaultExport: what jest takes as globalTeardown
export default tearDown
