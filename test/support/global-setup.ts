import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres, urlOf } from '../../src/demo/embedded-postgres.ts'
import { migrate } from '../../src/migrate.ts'
import { TEMPLATE } from './database.ts'

/** One PostgreSQL for the whole run, with one migrated database that every test file gets a copy of. */
async function setUp(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dsar-test-'))
  chmodSync(dataDir, 0o711) // the server may run under another account; see startPostgres
  const postgres = await startPostgres({ dataDir, durable: false })
  process.env.DSAR_TEST_POSTGRES = postgres.url
  process.env.DSAR_TEST_POSTGRES_DIR = dataDir

  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(`CREATE DATABASE ${TEMPLATE}`)
  await migrate({ databaseUrl: urlOf(postgres.url, TEMPLATE) })
  await client.query(`ALTER DATABASE ${TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`)
  await client.end()
}

// biome-ignore lint/style/noDefaultExport: what jest takes as globalSetup
export default setUp
