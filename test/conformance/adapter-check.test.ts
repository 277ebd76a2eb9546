import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createAdapter, type Found } from '../../src/adapter-kit/adapter.ts'
import { ROOT } from '../support/module-graph.ts'
import { check, type Sample, startSample } from './sample.ts'

const { NODE_OPTIONS: _, ...env } = process.env
const commandUnder = (options: string[], ...args: string[]) =>
  new Promise<{ code: number | string; out: string; err: string }>(resolve => {
    execFile(process.execPath, [...options, join(ROOT, 'src/adapter-check.ts'), ...args], { env }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    )
  })
const command = (...args: string[]) => commandUnder([], ...args)
const PEOPLE = ['--known', 'user_id=u-1', '--other', 'user_id=u-2']

let sample: Sample
beforeEach(async () => {
  sample = await startSample()
})
afterEach(() => sample.close())

describe('the command', () => {
  test('says of an adapter that it passed, to people and to programs', async () => {
    const { code, out } = await command(sample.url, '--secret', sample.secret, ...PEOPLE, '--json')
    const report = JSON.parse(out)
    expect([code, report.adapter, report.passed]).toEqual([1, 'sample', false]) // without leave to change anybody
    expect(report.checks.filter((one: { outcome: string }) => one.outcome === 'failed')).toEqual([])
    const whole = await command(sample.url, '--secret', sample.secret, ...PEOPLE, '--destructive')
    expect(whole.code).toBe(0)
    expect(whole.out).toMatch(/✓ others_untouched .*Nobody else’s data change/)
    expect(whole.out).toMatch(/PASSED: \d+ passed, 0 failed, 0 skipped/)
  })

  test('says what is wrong, and ends with 1', async () => {
    const { code, out } = await command(sample.url, '--secret', `whsec_${'A'.repeat(44)}`, ...PEOPLE)
    expect(code).toBe(1)
    expect(out).toMatch(/✗ manifest .*\n\s+The adapter answered 401/)
    expect(out).toContain('NOT PASSED')
  })

  test.each([
    ['without an address', ['--secret', 'whsec_x']],
    ['without a secret', ['http://127.0.0.1:1']],
    ['with an identity of no type', ['http://127.0.0.1:1', '--secret', 'whsec_x', '--known', 'u-1']],
  ])('tells how it is used %s, and ends with 2', async (_what, args) => {
    const { code, err } = await command(...args)
    expect([code, err.includes('usage: npm run adapter:check')]).toEqual([2, true])
  })
})

test('without people, and leave to change one, nothing passes, and it says what to give', async () => {
  const nobody = await check(sample.url, sample.secret, { subjects: false })
  expect([nobody.passed, nobody.checks.filter(({ outcome }) => outcome === 'failed')]).toEqual([false, []])
  expect(nobody.checks.find(({ id }) => id === 'others_untouched')).toMatchObject({
    outcome: 'skipped',
    detail:
      'Give the user_id or email of a person with data there (known), and the user_id or email of another person with data there (other).',
  })
  const careful = await check(sample.url, sample.secret, { destructive: false })
  expect(careful.passed).toBe(false)
  expect(careful.checks.find(({ id }) => id === 'dry_run')?.detail).toContain('(destructive)')
  expect((await check(sample.url, sample.secret)).passed).toBe(true) // nobody was changed so far
})

test('an adapter that is not there fails, and nobody has to know why it did not answer', async () => {
  const report = await check('http://127.0.0.1:1', sample.secret)
  expect([report.adapter, report.passed]).toEqual([null, false])
  expect(report.checks.find(({ id }) => id === 'manifest')?.detail).toContain('connection')
})

const logsAdapter = (secret: string, size: number) => {
  const filler = 'x'.repeat(1000)
  return createAdapter<Found>({
    name: 'logs',
    secrets: secret,
    identityTypes: [{ type: 'user_id' }],
    limits: { perMinute: 60_000 },
    find: ([one]) => (one?.value === 'u-1' || one?.value === 'u-2' ? { matched: [one] } : undefined),
    datasets: {
      logs: {
        title: 'Logs',
        category: 'usage',
        origin: 'observed',
        purposes: ['security'],
        legalBases: ['legitimate_interest'],
        retention: 'usage_data',
        count: ({ matched: [one] }) => (one?.value === 'u-2' ? 1 : size),
        async *records({ matched: [one] }) {
          const row = JSON.stringify({ of: one?.value === 'u-2' ? 'other' : 'known', filler })
          if (one?.value === 'u-2') return yield row
          for (let sent = 0; sent < size; sent += 1000) {
            await new Promise(resolve => setTimeout(resolve, 1))
            yield Array.from({ length: 1000 }, () => row)
          }
        },
      },
    },
  })
}

/** How much memory the command held at most (MiB) while it checked an adapter with so many records of 1 kB. */
async function memoryOfChecking(size: number) {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const adapter = logsAdapter(secret, size)
  const { url } = await adapter.listen()
  const tell = 'data:text/javascript,process.on("exit",()=>process.stderr.write(String(process.resourceUsage().maxRSS)))'
  const { out, err } = await commandUnder(['--max-semi-space-size=2', '--import', tell], url, '--secret', secret, ...PEOPLE)
  await adapter.close()
  expect(out).toMatch(new RegExp(`✓ collected .*\\n\\s+${size} records and 0 files, 1\\d+ bytes`))
  return Number(err) / 1024
}

test('a large and slow collection costs no memory here', async () => {
  const small = await memoryOfChecking(1000)
  const large = await memoryOfChecking(120_000) // 120 MB: whoever kept them would be seen
  expect(large - small).toBeLessThan(70)
}, 120_000)
