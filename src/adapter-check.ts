import { parseArgs } from 'node:util'
import { checkService, readable } from './conformance/check-service.ts'

const USAGE = `npm run adapter:check -- <url> --secret whsec_… [--known user_id=…] [--other user_id=…] [--destructive] [--patience seconds] [--json]

  --secret          shared with the adapter; given twice while one is being replaced
  --known, --other  identities of two people with data there; each may be given several times
  --destructive     the known person may be changed, and is erased in the end
  --json            the report for programs`

/** Holds an adapter against the protocol. Exit code 0 when it passed, 1 when not, 2 when it could not be checked. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      secret: { type: 'string', multiple: true, default: [] },
      known: { type: 'string', multiple: true, default: [] },
      other: { type: 'string', multiple: true, default: [] },
      destructive: { type: 'boolean', default: false },
      patience: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
    },
  })
  const [url] = positionals
  if (!url || positionals.length > 1 || !URL.canParse(url)) throw new Error('One address of an adapter is needed.')
  if (values.secret.length === 0) throw new Error('The secret shared with the adapter is needed.')
  if (!(Number(values.patience) >= 0)) throw new Error('Patience is a number of seconds.')
  const report = await checkService({
    url,
    secrets: values.secret,
    known: values.known.map(identity),
    other: values.other.map(identity),
    destructive: values.destructive,
    patienceMs: Number(values.patience) * 1000,
  })
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : readable(report))
  return report.passed ? 0 : 1
}

function identity(given: string) {
  const [type = '', ...rest] = given.split('=')
  const value = rest.join('=')
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(type) || value === '') throw new Error('An identity is given as type=value.')
  return { type, value }
}

main().then(
  code => {
    process.exitCode = code
  },
  (error: Error) => {
    process.stderr.write(`${error.message}\nusage: ${USAGE}\n`)
    process.exitCode = 2
  },
)
