import { parseArgs } from 'node:util'
import type { Identity } from './adapters/protocol.ts'
import { openCallbackPost } from './conformance/callback-post.ts'
import { checkAdapter } from './conformance/check-adapter.ts'
import { readable } from './conformance/report.ts'
import { systemClock } from './platform/clock.ts'
import { createOutbound } from './platform/outbound.ts'

const USAGE = `npm run adapter:check -- <url> --secret whsec_… [--known user_id=…] [--other user_id=…] [--destructive] [--patience seconds] [--json]

  --known, --other  identities of two people with data there; each may be given several times
  --destructive     the known person may be changed, and is erased in the end
  --json            the report for programs`

const isLoopback = ({ hostname }: URL): boolean => hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')

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
  const url = URL.parse(positionals[0] ?? '')
  if (!url || positionals.length > 1) throw new Error('One address of an adapter is needed.')
  if (values.secret.length === 0) throw new Error('The secret shared with the adapter is needed.')
  const outbound = createOutbound({ allowedHosts: [`${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`] })
  const callbacks = isLoopback(url) ? await openCallbackPost() : undefined
  try {
    const report = await checkAdapter(
      { outbound, clock: systemClock, ...(callbacks && { callbacks }) },
      { kind: 'service', baseUrl: url.href, secrets: values.secret, credentials: {}, settings: {} },
      {
        subjects: { known: values.known.map(identity), other: values.other.map(identity) },
        destructive: values.destructive,
        patienceMs: Number(values.patience) * 1000,
      },
    )
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : readable(report))
    return report.passed ? 0 : 1
  } finally {
    await callbacks?.close()
    await outbound.close()
  }
}

function identity(given: string): Identity {
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
