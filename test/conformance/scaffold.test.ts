import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ROOT } from '../support/module-graph.ts'

const { NODE_OPTIONS: _, ...env } = process.env
const run = (file: string, args: string[], cwd: string) => promisify(execFile)(file, args, { cwd, env })
const node = (args: string[], cwd: string) => run(process.execPath, args, cwd)

/** What the kit and the conformance kit need of the packages that the service has. */
const NEEDED = ['ipaddr.js', 'standardwebhooks', 'typebox', 'undici']

let folder: string
let shop: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scaffold-'))
  shop = join(folder, 'shop')
  await node([join(ROOT, 'src/adapter-new.ts'), 'shop', '--dir', folder], ROOT)
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], ROOT)
  const kit = join(shop, 'node_modules', 'dsar-service')
  await mkdir(kit, { recursive: true })
  await run('tar', ['-xzf', join(folder, stdout.trim().split('\n').at(-1) ?? ''), '-C', kit, '--strip-components=1'], folder)
  for (const name of [...NEEDED, '@types']) await symlink(join(ROOT, 'node_modules', name), join(shop, 'node_modules', name))
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

test('what is packed holds the two kits, the protocol and nothing of the service', async () => {
  const kit = join(shop, 'node_modules', 'dsar-service')
  expect((await readdir(kit)).sort()).toEqual(['README.md', 'dist', 'openapi', 'package.json'])
  const rooms = ['adapter-kit', 'adapters', 'conformance', 'domain', 'platform']
  expect((await readdir(join(kit, 'dist'))).sort()).toEqual(rooms)
  expect(await readdir(join(kit, 'openapi'))).toEqual(['adapter.yaml'])
})

test('what is scaffolded is one short file, its test and a secret that only its owner can read', async () => {
  expect((await readdir(shop)).sort()).toEqual(
    ['.env', '.gitignore', 'README.md', 'node_modules', 'package.json', 'shop.test.ts', 'shop.ts'].sort(),
  )
  expect((await readFile(join(shop, 'shop.ts'), 'utf8')).split('\n').length).toBeLessThanOrEqual(81)
  expect((await stat(join(shop, '.env'))).mode & 0o777).toBe(0o600)
})

test('it runs with nothing but Node and the package, and its own test holds it against the protocol', async () => {
  const { stdout } = await node(['--no-warnings', '--env-file=.env', '--test', '--test-reporter=tap'], shop)
  expect(stdout).toContain('ok 1 - it keeps to the protocol')
})

test('its types are those of the package', async () => {
  const options = '--noEmit --strict --module nodenext --target es2024 --types node --skipLibCheck --allowImportingTsExtensions'
  const check = (...files: string[]) =>
    node([join(ROOT, 'node_modules/typescript/bin/tsc'), ...options.split(' '), ...files], shop)
  await check('shop.ts', 'shop.test.ts')
  const text = await readFile(join(shop, 'shop.ts'), 'utf8')
  await writeFile(join(shop, 'wrong.ts'), text.replace('=> Number([', '=> String(['))
  await expect(check('wrong.ts')).rejects.toMatchObject({ stdout: expect.stringContaining('wrong.ts') })
}, 60_000)

test('it is not written over one that is there', async () => {
  await expect(node([join(ROOT, 'src/adapter-new.ts'), 'shop', '--dir', folder], ROOT)).rejects.toThrow('EEXIST')
  await expect(node([join(ROOT, 'src/adapter-new.ts'), '../shop', '--dir', folder], ROOT)).rejects.toThrow('An adapter is called')
})
