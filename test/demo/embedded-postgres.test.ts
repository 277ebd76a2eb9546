import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { type RunningPostgres, startPostgres, urlOf } from '../../src/demo/embedded-postgres.ts'
import { createDatabase } from '../support/database.ts'

const ask = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

describe('the embedded PostgreSQL', () => {
  let dataDir: string
  let postgres: RunningPostgres

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'dsar-postgres-'))
    chmodSync(dataDir, 0o755)
    postgres = await startPostgres({ dataDir, durable: false })
  })
  afterAll(async () => {
    await postgres.stop()
    rmSync(dataDir, { recursive: true })
  })

  test('is a real server, in UTF-8, that sorts the same on every machine', async () => {
    const sql =
      "SELECT current_setting('server_encoding'), datcollate, current_setting('max_connections') FROM pg_database WHERE datname = 'postgres'"
    expect(await ask(postgres.url, sql)).toEqual(['UTF8', 'C', '200'])
  })

  test('listens on the loopback address alone', async () => {
    const sql = "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
    expect(await ask(postgres.url, sql)).toEqual(['127.0.0.1', ''])
  })

  test('refuses a wrong password, and never takes one in clear text', async () => {
    const wrong = new URL(postgres.url)
    wrong.password = 'guess'
    await expect(ask(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    expect(await ask(postgres.url, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules')).toEqual(['scram-sha-256'])
  })

  test('keeps its password to itself', () => {
    const { mode } = statSync(join(dataDir, 'cluster', 'password'))
    expect(mode & 0o777).toBe(0o600)
  })

  test('writes no personal data into its log', async () => {
    await ask(postgres.url, 'CREATE TABLE person (mail text UNIQUE)')
    await ask(postgres.url, "INSERT INTO person VALUES ('ana@example.org')")
    await expect(ask(postgres.url, "INSERT INTO person VALUES ('ana@example.org')")).rejects.toMatchObject({ code: '23505' })
    const log = readFileSync(join(dataDir, 'cluster', 'log'), 'utf8')
    expect(log).toContain('duplicate key')
    expect(log).not.toContain('ana@example.org')
  })

  test('has databases beside the first one', async () => {
    await ask(postgres.url, 'CREATE DATABASE another')
    expect(await ask(urlOf(postgres.url, 'another'), 'SELECT current_database()')).toEqual(['another'])
  })

  test('is used as it is when it still runs', async () => {
    const again = await startPostgres({ dataDir, durable: false })
    expect(again).toMatchObject({ url: postgres.url, port: postgres.port })
  })

  test('keeps what was written when it is stopped and started', async () => {
    await ask(postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await postgres.stop()
    await expect(ask(postgres.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    postgres = await startPostgres({ dataDir, durable: false })
    expect(await ask(postgres.url, 'SELECT answer FROM kept')).toEqual([42])
  })

  test('starts although a lock file names a process that is no PostgreSQL', async () => {
    await postgres.stop()
    const lock = join(dataDir, 'cluster', 'data', 'postmaster.pid')
    writeFileSync(lock, `${process.pid}\n${dataDir}\n0\n${postgres.port}\n\n127.0.0.1\n\nready\n`)
    postgres = await startPostgres({ dataDir, durable: false })
    expect(await ask(postgres.url, 'SELECT 1')).toEqual([1])
  })

  test('says why when it cannot start', async () => {
    await postgres.stop()
    const version = join(dataDir, 'cluster', 'data', 'PG_VERSION')
    writeFileSync(version, '9.6\n')
    await expect(startPostgres({ dataDir, durable: false })).rejects.toThrow(/incompatible/)
    writeFileSync(version, '18\n')
    postgres = await startPostgres({ dataDir, durable: false })
  })
})

test('a server whose starter was killed is found again', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'dsar-postgres-'))
  chmodSync(dataDir, 0o755)
  const launcher = join(import.meta.dirname, '../../src/demo/embedded-postgres.ts')
  const script = `import { startPostgres } from ${JSON.stringify(launcher)}
    console.log((await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, durable: false })).url)
    setInterval(() => {}, 1000)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(starter.stdout.setEncoding('utf8'), 'data')
  starter.kill('SIGKILL')
  await once(starter, 'exit')

  const postgres = await startPostgres({ dataDir, durable: false })
  expect(postgres.url).toBe(line.trim())
  await postgres.stop()
  rmSync(dataDir, { recursive: true })
})

test('a directory below a home of mode 700 works, whoever we are', async () => {
  const home = mkdtempSync(join(tmpdir(), 'dsar-home-'))
  const dataDir = join(home, 'checkout', '.demo')
  const postgres = await startPostgres({ dataDir, durable: false })
  expect(await ask(postgres.url, 'SELECT 1')).toEqual([1])
  await postgres.stop()

  const cluster = join(dataDir, 'cluster')
  expect(lstatSync(cluster).isSymbolicLink()).toBe(process.getuid?.() === 0)
  rmSync(realpathSync(cluster), { recursive: true })
  rmSync(home, { recursive: true })
})

test('each test file has a database of its own, gone when it is dropped', async () => {
  const database = await createDatabase()
  expect(await ask(database.url, 'SELECT 1')).toEqual([1])
  await database.drop()
  await expect(ask(database.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' })
})
