import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { apiClient } from '../src/demo/client.ts'
import { atLeast, below, type Figure, plain, say } from './figures.ts'
import { type Ground, openGround, ROOT, registerAdapters, type Service, serviceToken } from './ground.ts'
import { readRecording, runPgbench, scriptOf } from './pgbench.ts'

// How many requests can be opened over HTTP in a second, by a service, each for another person. The reference is pgbench with the
// very statements that one such call executes, recorded from the service itself, on the same database with as many connections.

const CONNECTIONS = 32
const SECONDS = 10
const PATH = '/v1/requests'
const RUN = Date.now().toString(36)
let people = 0
const bodyForNextPerson = () => {
  people += 1
  const email = `${RUN}.${people}@campus.example`
  return {
    type: 'access',
    subject: { identities: [{ type: 'email', value: email }], country: 'DE', locale: 'en' },
    channel: 'crm',
  }
}

export async function run(): Promise<Figure[]> {
  const ground = await openGround()
  try {
    const alone = await measure(ground, 'api')
    const reference = await replay(ground)
    const withWorkers = await measure(ground, 'all')
    return [
      atLeast('requests opened, workers elsewhere', alone.rate, 200, '/s'),
      below('  99 % answered within', alone.p99, 250, 'ms'),
      plain('  pgbench, the same SQL', reference, '/s'),
      atLeast('  ratio', alone.rate / reference, 0.25),
      plain('requests opened, worked on in the same process', withWorkers.rate, '/s'),
      plain('  99 % answered within', withWorkers.p99, 'ms'),
      plain('  ratio', withWorkers.rate / reference),
    ]
  } finally {
    await ground.close()
  }
}

async function measure(ground: Ground, role: 'api' | 'all'): Promise<{ rate: number; p99: number }> {
  const service = await ground.startService(role)
  if (role === 'all') await registerAdapters(ground, service)
  await load(ground, service, 2)
  const { requests, latency, non2xx, errors } = await load(ground, service, SECONDS)
  await service.stop()
  if (non2xx + errors > 0) throw new Error(`${non2xx} calls were refused and ${errors} failed.`)
  say(`  ${role}: ${requests.average}/s, p50 ${latency.p50} ms, p99 ${latency.p99} ms, ${requests.total} requests`)
  return { rate: requests.average, p99: latency.p99 }
}

function load(ground: Ground, { url }: Service, seconds: number): Promise<autocannon.Result> {
  return autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        path: PATH,
        headers: { authorization: `Bearer ${serviceToken(ground)}`, 'content-type': 'application/json' },
        setupRequest: request => ({ ...request, body: JSON.stringify(bodyForNextPerson()) }),
      },
    ],
  })
}

/** Records what one open executes, the second of a process, when everything that is asked once has been asked. */
async function replay(ground: Ground): Promise<number> {
  const file = join(ground.dir, 'statements.jsonl')
  const service = await ground.startService('api', {
    nodeArguments: ['--import', join(ROOT, 'bench/record-sql.ts')],
    env: { RECORD_SQL: file },
  })
  const call = apiClient(service.url, serviceToken(ground))
  await call('POST', PATH, bodyForNextPerson())
  rmSync(file)
  const { id } = await call<{ id: string }>('POST', PATH, bodyForNextPerson())
  const recording = readRecording(file)
  await service.stop()

  const [identity] = await ground.sql<{ index: string }>(
    `SELECT encode(value_index, 'hex') AS index FROM request_identity WHERE request_id = $1`,
    [id],
  )
  const script = join(ground.dir, 'open-request.sql')
  writeFileSync(script, scriptOf(recording, id, identity?.index ?? ''))
  const rate = runPgbench(script, ground.databaseUrl, { clients: CONNECTIONS, seconds: SECONDS })
  say(`  pgbench: ${rate.toFixed(0)}/s of the ${recording.length} statements that one open executes`)
  return rate
}
