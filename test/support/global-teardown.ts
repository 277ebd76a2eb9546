import { rmSync } from 'node:fs'
import { startPostgres } from '../../src/demo/embedded-postgres.ts'

/** Stops the run's PostgreSQL and leaves nothing of it behind. */
async function tearDown(): Promise<void> {
  const dataDir = process.env.DSAR_TEST_POSTGRES_DIR
  if (!dataDir) return
  const postgres = await startPostgres({ dataDir, durable: false }) // finds the one that runs
  await postgres.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

// biome-ignore lint/style/noDefaultExport: what jest takes as globalTeardown
export default tearDown
