import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { urlOf } from '../../src/demo/embedded-postgres.ts'

/** The migrated database that is copied for each test file. */
export const TEMPLATE = 'dsar_template'

export interface TestDatabase {
  /** postgres:// address with the superuser's credentials. */
  url: string
  /** Fails if a connection was left open: then the test forgot to close something. */
  drop(): Promise<void>
}

/** A database of this test file's own: with the schema and nothing in it, or from another template. */
export async function createDatabase(template = TEMPLATE): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await onCluster(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  return { url: urlOf(clusterUrl(), name), drop: () => onCluster(`DROP DATABASE ${name}`) }
}

function clusterUrl(): string {
  const url = process.env.DSAR_TEST_POSTGRES
  if (!url) throw new Error('The tests run under jest with its globalSetup, which starts PostgreSQL.')
  return url
}

async function onCluster(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl() })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
