import { PROFILES, type Volumes } from '../src/demo/lms/profiles.ts'
import { seedPerson } from '../src/demo/lms/seed-person.ts'
import { collectFrom } from './direct.ts'
import { below, type Figure, plain, say } from './figures.ts'
import { type Ground, openGround, openVouched, pause, registerAdapters, type Service } from './ground.ts'
import { memory, peakMemory, resetPeak } from './memory.ts'

// How long it takes from the proof of identity to the sealed package for people with much data, and how much memory the service
// needs for it. The reference drains the same adapters and throws the answers away: nothing is checked, kept, packed or sealed.

const TEN_THOUSAND: Volumes = { ...PROFILES.typical, posts: 10_000, logs: 10_000 }
const PATIENCE_MS = 180_000

interface Who {
  userId: string
  email: string
}

export async function run(): Promise<Figure[]> {
  const ground = await openGround()
  try {
    const person = (userId: string) => ({
      userId,
      email: `${userId}@campus.example`,
      name: 'Grace Müller',
      country: 'DE',
      seed: 77,
    })
    const [first, learner, teacher] = [person('u-first'), person('u-posts'), person('u-teacher')]
    await seedPerson(ground.lmsUrl, { ...first, profile: 'light' })
    await seedPerson(ground.lmsUrl, { ...learner, profile: TEN_THOUSAND })
    await seedPerson(ground.lmsUrl, { ...teacher, profile: 'teacher' })
    await ground.sql('CHECKPOINT')
    const service = await ground.startService('all')
    await registerAdapters(ground, service)
    await follow(ground, service, first) // so that everything is warm
    const idle = memory(service.pid)
    return [
      ...(await measure(ground, service, learner, '10,000 posts and 10,000 log rows', 6)),
      ...(await measure(ground, service, teacher, '1,000,000 log rows', 20)),
      plain('memory of the service before them', idle, 'MiB'),
    ]
  } finally {
    await ground.close()
  }
}

async function measure(ground: Ground, service: Service, who: Who, what: string, mostSeconds: number): Promise<Figure[]> {
  resetPeak(service.pid)
  const seconds = await follow(ground, service, who)
  const peak = peakMemory(service.pid)
  const started = performance.now()
  const bytes = await Promise.all(ground.adapters.map(adapter => collectFrom(adapter, who)))
  const direct = (performance.now() - started) / 1000
  const mebibytes = bytes.reduce((a, b) => a + b) / 2 ** 20
  say(
    `  ${what}: ${seconds.toFixed(2)} s, drained ${direct.toFixed(2)} s (${mebibytes.toFixed(0)} MiB), peak ${peak.toFixed(0)} MiB`,
  )
  return [
    below(`one person, ${what}`, seconds, mostSeconds, 's'),
    plain('  the adapters drained directly', direct, 's'),
    plain('  ratio', seconds / direct),
    below('  peak memory of the service', peak, 200, 'MiB'),
  ]
}

/** Opens a request for somebody vouched for and waits until it is completed. @returns seconds since the answer to the open */
async function follow(ground: Ground, service: Service, who: Who): Promise<number> {
  const id = await openVouched(ground, service, who)
  const started = performance.now()
  const marks = new Map<string, number>()
  while (performance.now() - started < PATIENCE_MS) {
    const [request] = await ground.sql<{ state: string; flags: string[] }>(
      'SELECT state, flags FROM dsar_request WHERE id = $1',
      [id],
    )
    if (request?.flags.length) throw new Error(`The request needs a person: ${request.flags.join(', ')}.`)
    const seconds = (performance.now() - started) / 1000
    if (request && !marks.has(request.state)) marks.set(request.state, seconds)
    if (request?.state === 'completed') {
      say(`    ${[...marks].map(([state, at]) => `${state} at ${at.toFixed(1)}`).join(', ')} s`)
      return seconds
    }
    await pause(20)
  }
  throw new Error('The request was not completed in time.')
}
