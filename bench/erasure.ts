import { PROFILES } from '../src/demo/lms/profiles.ts'
import { seedPerson } from '../src/demo/lms/seed-person.ts'
import { eraseFrom } from './direct.ts'
import { below, type Figure, plain, say } from './figures.ts'
import { type Ground, openGround, openVouched, pause, registerAdapters } from './ground.ts'

// How long an erasure takes over five adapters, from the point of no return to its being verified: each is told in its turn, whoever
// knows who is who last, and counted afterwards. The reference tells the same adapters the same, one after the other.

const VOLUMES = { ...PROFILES.typical, posts: 10_000, logs: 10_000 }
const PATIENCE_MS = 120_000

export async function run(): Promise<Figure[]> {
  const ground = await openGround()
  try {
    const person = (n: number) => ({
      userId: `u-gone-${n}`,
      email: `gone${n}@campus.example`,
      name: 'Grace Müller',
      country: 'DE',
      seed: 70 + n,
    })
    const people = [1, 2, 3].map(person)
    for (const one of people) await seedPerson(ground.lmsUrl, { ...one, profile: VOLUMES })
    const service = await ground.startService('all')
    await registerAdapters(ground, service)
    const [first, second, third] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]]
    const took = []
    for (const who of [first, second]) took.push(await erase(ground, await openVouched(ground, service, who, 'erasure')))
    const started = performance.now()
    for (const adapter of inOrder(ground)) await eraseFrom(adapter, third)
    const direct = (performance.now() - started) / 1000
    const [, seconds = 0] = took // the first found everything cold
    say(`  ${took.map(one => one.toFixed(2)).join(' and ')} s; the adapters told directly: ${direct.toFixed(2)} s`)
    return [
      below('an erasure over five adapters, 10,000 posts and 10,000 log rows, verified', seconds, 5, 's'),
      plain('  the adapters told directly, one after the other', direct, 's'),
      plain('  ratio', seconds / direct),
    ]
  } finally {
    await ground.close()
  }
}

/** Whoever knows who is who last, as the service does. */
const inOrder = ({ adapters }: Ground) =>
  [...adapters].sort((a, b) => Number(a.name === 'accounts') - Number(b.name === 'accounts'))

/** Has a request that cools off cool off now. @returns seconds from the point of no return until all of it was verified */
async function erase({ sql }: Ground, id: string): Promise<number> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    await sql(`UPDATE dsar_request SET cools_off_at = now() WHERE id = $1 AND state = 'cooling_off' AND cools_off_at > now()`, [
      id,
    ])
    const [done] = await sql<{ seconds: number }>(
      `SELECT extract(epoch FROM max(at) FILTER (WHERE event = 'carried_out') - max(at) FILTER (WHERE event = 'cooled_off'))::float AS seconds
       FROM audit_entry WHERE stream = 'request:' || $1`,
      [id],
    )
    if (done?.seconds) return done.seconds
    await pause(50)
  }
  throw new Error('The erasure was not carried out in time.')
}
