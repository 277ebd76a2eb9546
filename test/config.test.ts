import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { BadEnvironment, readAuditConfig, readConfig } from '../src/config.ts'
import { generateVaultKeyFile } from '../src/platform/vault-key-file.ts'

const SECRET = 'hunter2-hunter2'
let dir: string
let good: Record<string, string>
let production: Record<string, string>

const ISSUER = { issuer: 'https://id.test/portal', audience: 'dsar', kind: 'portal', algorithms: ['ES256'] }
const issuers = (jwksUrl: string) => JSON.stringify([{ ...ISSUER, jwksUrl }])

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'config-'))
  const vault = join(dir, 'vault.json')
  writeFileSync(vault, generateVaultKeyFile(), { mode: 0o600 })
  const policy = join(dir, 'policy.yaml')
  writeFileSync(policy, readFileSync('src/policy/almastack-2025-01-18.yaml', 'utf8').replaceAll('.example', '.test'))
  good = {
    DATABASE_URL: `postgres://dsar:${SECRET}@127.0.0.1/dsar`,
    SMTP_URL: `smtp://mail:${SECRET}@127.0.0.1:2525`,
    MAIL_FROM: 'privacy@service.test',
    PUBLIC_URL: 'http://127.0.0.1:8080/',
    BLOB_STORE_URL: 'file:///tmp/blobs',
    AUTH_ISSUERS: issuers('http://127.0.0.1:9000/jwks.json'),
    VAULT_KEY_FILE: vault,
  }
  production = {
    ...good,
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://privacy.service.test',
    AUTH_ISSUERS: issuers('https://id.test/jwks.json'),
    POLICY_FILE: policy,
  }
})
afterAll(() => rmSync(dir, { recursive: true }))

function mistakesOf(env: Record<string, string | undefined>): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof BadEnvironment)) throw error
    return error.message
      .split('\n')
      .slice(1)
      .map(line => line.trim())
  }
}

describe('the environment', () => {
  test('needs no more than is needed, and has these defaults', () => {
    expect(readConfig(good)).toMatchObject({
      role: 'all',
      production: false,
      host: '127.0.0.1',
      port: 8080,
      logLevel: 'info',
      databaseRole: 'dsar_app',
      databasePool: 20,
      mailFrom: { address: 'privacy@service.test', name: 'Privacy team' },
      publicUrl: 'http://127.0.0.1:8080',
      allowOpenVaultFile: false,
      adapterAllowedHosts: [],
      fileHosts: [],
      timeZone: 'Asia/Colombo',
      holidays: {},
      packageDays: 14,
      linkUses: 5,
      backupDays: 35,
      taskSlots: 32,
      jobConcurrency: 4,
      trustProxy: [],
      perCallerQuota: 600,
      perAddressQuota: 120,
    })
  })

  test('says all that is missing at once', () => {
    expect(mistakesOf({})).toEqual(
      ['DATABASE_URL', 'SMTP_URL', 'MAIL_FROM', 'PUBLIC_URL', 'BLOB_STORE_URL', 'AUTH_ISSUERS', 'VAULT_KEY_FILE'].map(
        name => `${name} is not set`,
      ),
    )
  })

  test.each([
    ['ROLE', 'boss'],
    ['PORT', '65536'],
    ['PORT', '80a'],
    ['LOG_LEVEL', 'loud'],
    ['DATABASE_URL', 'mysql://x'],
    ['DATABASE_POOL', '1'],
    ['SMTP_URL', 'http://x'],
    ['MAIL_FROM', 'a@b.test, c@d.test'],
    ['PUBLIC_URL', 'javascript:alert(1)'],
    ['BLOB_STORE_URL', 's3://bucket'],
    ['AUTH_ISSUERS', '[]'],
    ['AUTH_ISSUERS', '{'],
    ['RECEIVERS', '{'],
    ['RECEIVERS', '[{"id": "a", "name": "A", "endpoint": "http://a.test/"}]'],
    ['VAULT_KEY_FILE', '/nowhere/vault.json'],
    ['VAULT_KEY_FILE_SHARED', 'yes'],
    ['CHECK_SUBJECTS', 'user_id=u-1'],
    ['CHECK_SUBJECTS', 'user_id=u-1,user_id='],
    ['CHECK_SUBJECTS', 'user_id=u-1,user_id=u-2,user_id=u-3'],
    ['ADAPTER_ALLOWED_HOSTS', '*:443'],
    ['ADAPTER_ALLOWED_HOSTS', 'crm.test'],
    ['FILE_HOSTS', 'https://files.test'],
    ['POLICY_FILE', '/nowhere/policy.yaml'],
    ['PRIVACY_OFFICER', 'nobody'],
    ['TIME_ZONE', 'Mars/Olympus'],
    ['HOLIDAYS_FILE', '/nowhere/holidays.json'],
    ['PACKAGE_DAYS', '0'],
    ['PACKAGE_DAYS', '365'],
    ['LINK_USES', '-1'],
    ['TASK_SLOTS', '1e2'],
    ['JOB_CONCURRENCY', ''],
    ['TRUST_PROXY', '10.0.0.0/8, yes'],
    ['RATE_PER_CALLER', '0'],
    ['RATE_PER_ADDRESS', 'many'],
  ])('is not taken with %s=%s, and the mistake names the variable', (name, value) => {
    const [mistake, ...others] = mistakesOf({ ...good, [name]: value })
    expect([mistake?.startsWith(name), others.filter(other => /^[A-Z_]+ /.test(other))]).toEqual([true, []])
  })

  test('never says what was in it', () => {
    const secrets = {
      DATABASE_URL: `mysql://x:${SECRET}@h`,
      SMTP_URL: `http://x:${SECRET}@h`,
      MAIL_FROM: SECRET,
      PUBLIC_URL: SECRET,
      BLOB_STORE_URL: SECRET,
      AUTH_ISSUERS: `{"${SECRET}`,
      VAULT_KEY_FILE: `/${SECRET}`,
      ADAPTER_ALLOWED_HOSTS: SECRET,
      TRUST_PROXY: SECRET,
      PORT: SECRET,
    }
    for (const env of [secrets, { ...secrets, NODE_ENV: 'production' }]) {
      const said = mistakesOf(env).join('\n')
      for (const name of Object.keys(secrets)) expect(said).toContain(name)
      expect(said).not.toContain(SECRET)
    }
  })

  test('cannot be changed once it was read', () => {
    expect(Object.isFrozen(readConfig(good))).toBe(true)
  })

  test('needs only the database where nothing is done but to migrate it', () => {
    expect(mistakesOf({ ROLE: 'migrate', DATABASE_URL: good.DATABASE_URL, NODE_ENV: 'production' })).toEqual([])
  })

  test('needs only the database and the keys to check the record', () => {
    expect(readAuditConfig({ DATABASE_URL: good.DATABASE_URL, VAULT_KEY_FILE: good.VAULT_KEY_FILE })).toMatchObject({
      databaseRole: 'dsar_app',
    })
    expect(() => readAuditConfig({})).toThrow(BadEnvironment)
  })
})

describe('test mode', () => {
  const withUrl = (PUBLIC_URL: string) => mistakesOf({ ...good, TEST_MODE: 'true', PUBLIC_URL })

  test.each([
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'http://localhost:8080',
    'http://dsar:8080',
    'http://10.1.2.3',
    'http://dsar.ci.internal',
  ])('is taken at %s, which the public cannot reach', url => expect(withUrl(url)).toEqual([]))

  test.each(['https://privacy.almastack.com', 'http://8.8.8.8', 'https://localhost.example.com'])('is refused at %s', url =>
    expect(withUrl(url)).toEqual([expect.stringMatching(/^TEST_MODE takes a PUBLIC_URL out of the reach/)]),
  )
})

describe('in production', () => {
  test('what is safe is taken', () => {
    expect(mistakesOf(production)).toEqual([])
  })

  const UNSAFE: [string, Record<string, string>, RegExp][] = [
    ['links by http', { PUBLIC_URL: 'http://privacy.service.test' }, /^PUBLIC_URL has to be https/],
    ['mail in the clear', { SMTP_URL: 'smtp://mail.test:25?requireTLS=false' }, /^SMTP_URL must not give up TLS/],
    [
      'keys by http',
      { AUTH_ISSUERS: issuers('http://127.0.0.1:9000/jwks.json') },
      /^AUTH_ISSUERS: the keys of https:\/\/id\.test\/portal/,
    ],
    [
      'the rights of a superuser',
      { DATABASE_URL: 'postgres://postgres@127.0.0.1/dsar', DATABASE_ROLE: '' },
      /^DATABASE_URL must not be the superuser/,
    ],
    ['a database in the clear', { DATABASE_URL: 'postgres://dsar@db.test/dsar' }, /^DATABASE_URL has to ask for TLS/],
    ['everybody as a proxy', { TRUST_PROXY: '0.0.0.0/0' }, /^TRUST_PROXY must not be everybody/],
    ['everybody as a proxy, by IPv6', { TRUST_PROXY: '::/0' }, /^TRUST_PROXY must not be everybody/],
    ['a clock that can be moved', { TEST_MODE: 'true' }, /^TEST_MODE is never for production/],
    ['contacts that are examples', { POLICY_FILE: '' }, /^POLICY_FILE: \/controller\/contacts\/\w+ is still an example$/],
  ]
  test.each(UNSAFE)('T54 %s stops the start; on a desk it does not', (_what, unsafe, why) => {
    const mistakes = mistakesOf({ ...production, ...unsafe })
    expect(mistakes.length).toBeGreaterThan(0)
    for (const mistake of mistakes) expect(mistake).toMatch(why)
    expect(mistakesOf({ ...production, ...unsafe, NODE_ENV: 'development' })).toEqual([])
  })

  test('everything unsafe is told at once, with everything that is wrong', () => {
    const everything = Object.assign({}, production, ...UNSAFE.map(([, unsafe]) => unsafe), { PORT: 'x' })
    const said = mistakesOf(everything).join('\n')
    for (const name of ['PORT', 'PUBLIC_URL', 'SMTP_URL', 'AUTH_ISSUERS', 'DATABASE_URL', 'TRUST_PROXY', 'POLICY_FILE'])
      expect(said).toContain(name)
  })
})
