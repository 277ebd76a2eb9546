import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = resolve(import.meta.dirname, '..')
const NAME = /^[a-z][a-z0-9_]{0,62}$/

/** Writes a running adapter with its test into a folder of its own, for somebody to put their queries into. */
async function main(): Promise<string> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { dir: { type: 'string', default: 'adapters' } } })
  const [name = ''] = positionals
  if (!NAME.test(name)) throw new Error('An adapter is called by lower-case letters, digits and underscores.')
  const folder = resolve(values.dir, name)
  await mkdir(values.dir, { recursive: true })
  await mkdir(folder) // not into one that is there
  const sample = async (file: string) => named(await readFile(join(ROOT, 'scaffold', file), 'utf8'), name)
  const files = {
    'package.json': `${JSON.stringify(packageOf(name, relative(folder, ROOT)), null, 2)}\n`,
    [`${name}.ts`]: await sample('sample.ts'),
    [`${name}.test.ts`]: await sample('sample.test.ts'),
    'README.md': await sample('readme.md'),
    '.gitignore': 'node_modules\n.env\n',
  }
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
  await writeFile(join(folder, '.env'), `DSAR_SECRET=whsec_${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  return folder
}

/** The sample under its own name, and with the package it will get the kit from. */
const named = (text: string, name: string): string =>
  text
    .replaceAll('sample', name)
    .replace('../src/adapter-kit/adapter.ts', 'dsar-service/adapter')
    .replace('../src/conformance/check-service.ts', 'dsar-service/conformance')

const packageOf = (name: string, here: string) => ({
  name: `${name.replaceAll('_', '-')}-adapter`,
  version: '0.1.0',
  private: true,
  type: 'module',
  engines: { node: '>=24.2' },
  scripts: { start: `node --env-file=.env ${name}.ts`, test: 'node --env-file=.env --test' },
  dependencies: { 'dsar-service': `file:${here}` },
})

main().then(
  folder => {
    process.stdout.write(`${folder}\n  cd ${relative('.', folder) || '.'} && npm i && npm test && npm start\n`)
  },
  (error: Error) => {
    process.stderr.write(`${error.message}\nusage: npm run adapter:new -- billing [--dir adapters]\n`)
    process.exitCode = 1
  },
)
