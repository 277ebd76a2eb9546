import { afterAll, beforeAll, expect, test } from '@jest/globals'
import pg from 'pg'
import { DataSource } from 'typeorm'
import { MIGRATIONS } from '../src/migrate.ts'
import { createDatabase, type TestDatabase } from './support/database.ts'

let own: TestDatabase
let client: pg.Client
let source: DataSource

beforeAll(async () => {
  own = await createDatabase()
  client = new pg.Client({ connectionString: own.url })
  await client.connect()
  source = await new DataSource({ type: 'postgres', url: own.url, migrations: MIGRATIONS, installExtensions: false }).initialize()
})
afterAll(async () => {
  await source.destroy()
  await client.end()
  await own.drop()
})

/** Every column, index, constraint and right of our tables, as lines. */
async function schema(): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL SELECT relname || ' ' || coalesce(relacl::text, '') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    ORDER BY 1`)
  return rows.map(({ line }) => line)
}

test('each migration is undone without a trace, and can be done again', async () => {
  const stages: string[][] = [await schema()]
  for (const _ of MIGRATIONS) {
    await source.undoLastMigration({ transaction: 'each' })
    stages.push(await schema())
  }
  expect(stages.at(-1)?.filter(line => !/^migrations|[ ."]migrations\b|migrations_id/.test(line))).toEqual([])
  for (const [undone, { name }] of MIGRATIONS.entries()) {
    const [migration] = [source.migrations.find(one => one.name === name)]
    const runner = source.createQueryRunner()
    await migration?.up(runner)
    await runner.release()
    expect([name, await schema()]).toEqual([name, stages.at(-2 - undone)])
  }
})
