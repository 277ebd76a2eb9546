import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkManifest } from './policy/check-manifest.ts'
import { loadPolicy } from './policy/load-policy.ts'
import { lintDatabase } from './sql/command.ts'
import { parseDescription } from './sql/description-file.ts'
import { isError } from './sql/finding.ts'
import { readDescription } from './sql/read-description.ts'

const USAGE = 'npm run dataset:lint -- file.yaml [--database postgresql://…] [--reader ROLE] [--eraser ROLE] [--policy FILE]'

/**
 * Holds the description of a database against its schema, the privacy policy and, with `--database`, the living database: whether what it
 * names is there, what points at people is in it, and what it wants can be done, by the roles that will do it. Exit code 0 when it can
 * be used, 1 when not, 2 when it could not be looked into.
 */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { database: { type: 'string' }, reader: { type: 'string' }, eraser: { type: 'string' }, policy: { type: 'string' } },
  })
  const [file] = positionals
  if (file === undefined) throw new Error('Which file?')
  const read = readDescription(parseDescription(readFileSync(file, 'utf8')))
  const findings =
    'faults' in read
      ? read.faults.map(fault => ({ kind: 'error' as const, ...fault }))
      : [...againstPolicy(read.description, values.policy), ...(await againstDatabase(read.description, values))]
  for (const { kind, pointer, detail } of findings) process.stdout.write(`${kind} ${pointer || '/'}: ${detail}\n`)
  const errors = findings.filter(isError).length
  process.stdout.write(errors > 0 ? `${errors} errors\n` : 'it can be used\n')
  return errors > 0 ? 1 : 0
}

type Description = Extract<ReturnType<typeof readDescription>, { description: unknown }>['description']

const againstPolicy = ({ name, tables }: Description, policy?: string) => {
  const datasets = Object.entries(tables).map(([dataset, described]) => ({ name: dataset, ...described }))
  return checkManifest(loadPolicy(policy), { name, datasets }).map(({ pointer, detail }) => ({
    kind: 'error' as const,
    pointer: pointer.replace(/^\/datasets\/(\d+)/, (_, at: string) => `/tables/${datasets[Number(at)]?.name}`),
    detail,
  }))
}

const againstDatabase = async (description: Description, { database, reader, eraser }: Record<string, string | undefined>) =>
  database === undefined ? [] : lintDatabase(database, description, { ...(reader && { reader }), ...(eraser && { eraser }) })

main().then(
  code => {
    process.exitCode = code
  },
  (error: Error) => {
    process.stderr.write(`${error.message}\nusage: ${USAGE}\n`)
    process.exitCode = 2
  },
)
