import { randomInt, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import autocannon from 'autocannon'
import pg from 'pg'
import { openVault } from '../src/platform/vault.ts'
import { identityIndex } from '../src/requests/identities.store.ts'
import { atLeast, below, type Figure, plain, say } from './figures.ts'
import { type Ground, openGround, pause, type Service } from './ground.ts'

// How many look-ups a service can make in a second, each of one person by address, one in two of them known, with a million people
// marked. The reference is the bare indexed SELECT, prepared, from this process through as many connections as the service has.

const PEOPLE = 1_000_000
const AT_ONCE = 20_000
const CONNECTIONS = 32
const POOL = 20
const SECONDS = 10

const addressOf = (n: number) => `person.${n}@campus.example`
const MARKS = [
  { kind: 'objected', of: 'marketing' },
  { kind: 'consent_withdrawn', of: 'cookie:analytics' },
  { kind: 'restricted', of: '' },
  { kind: 'erased', of: '' },
]

export async function run(): Promise<Figure[]> {
  const ground = await openGround()
  try {
    const service = await ground.startService('api', { env: { RATE_EVERY_USE: '100000000', DATABASE_POOL: String(POOL) } })
    const seeding = performance.now()
    await markMany(ground)
    say(`  ${PEOPLE} people marked in ${((performance.now() - seeding) / 1000).toFixed(0)} s`)
    await pause(3000) // let the database settle
    const reference = await bareSelects(ground)
    await load(ground, service, 3)
    const { requests, latency, non2xx, errors } = await load(ground, service, SECONDS)
    if (non2xx + errors > 0) throw new Error(`${non2xx} calls were refused and ${errors} failed.`)
    say(`  ${requests.average}/s, p50 ${latency.p50} ms, p99 ${latency.p99} ms, ${requests.total} look-ups`)
    return [
      atLeast('look-ups among a million marked people', requests.average, 2000, '/s'),
      below('  99 % answered within', latency.p99, 25, 'ms'),
      plain('  bare indexed SELECT through pg', reference, '/s'),
      plain('  ratio', requests.average / reference),
    ]
  } finally {
    await ground.close()
  }
}

async function markMany({ dir, sql }: Ground): Promise<void> {
  const vault = openVault(readFileSync(join(dir, 'vault.json'), 'utf8'))
  for (let first = 0; first < PEOPLE; first += AT_ONCE) {
    const people = Array.from({ length: AT_ONCE }, (_, i) => first + i)
    await sql(
      `INSERT INTO subject_mark (value_index, kind, "of", request_id, since)
       SELECT index, kind, "of", $4, now() FROM unnest($1::bytea[], $2::text[], $3::text[]) AS one (index, kind, "of")`,
      [
        people.map(n => identityIndex({ vault }, { type: 'email', value: addressOf(n) })),
        people.map(n => MARKS[n % MARKS.length]?.kind),
        people.map(n => MARKS[n % MARKS.length]?.of),
        randomUUID(),
      ],
    )
  }
  await sql('VACUUM ANALYZE subject_mark')
}

/** Half of all who are asked for are known. */
const somebody = () => addressOf(randomInt(2 * PEOPLE))

function load({ issuer }: Ground, { url }: Service, seconds: number): Promise<autocannon.Result> {
  const token = issuer.mint('service', { sub: 'mailing', client_id: 'mailing', scope: 'subjects:lookup' })
  return autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        path: '/v1/subjects/lookup',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        setupRequest: request => ({
          ...request,
          body: JSON.stringify({ identities: [{ type: 'email', value: somebody() }] }),
        }),
      },
    ],
  })
}

async function bareSelects({ databaseUrl, dir }: Ground): Promise<number> {
  const vault = openVault(readFileSync(join(dir, 'vault.json'), 'utf8'))
  const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL })
  const text = 'SELECT kind, "of" FROM subject_mark WHERE value_index = $1 AND lifted_at IS NULL'
  const end = performance.now() + SECONDS * 1000
  let done = 0
  const ask = async () => {
    while (performance.now() < end) {
      const index = identityIndex({ vault }, { type: 'email', value: somebody() })
      await pool.query({ name: 'bare', text, values: [index] })
      done += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, ask))
  await pool.end()
  say(`  bare SELECT: ${(done / SECONDS).toFixed(0)}/s`)
  return done / SECONDS
}
