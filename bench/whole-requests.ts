import { seedPeople } from '../src/demo/lms/seed-person.ts'
import { collectFrom } from './direct.ts'
import { atLeast, type Figure, plain, quantile, say } from './figures.ts'
import { type Ground, openGround, openVouched, pause, registerAdapters, type Service } from './ground.ts'
import { peakMemory, resetPeak } from './memory.ts'
import { watchProcessor } from './processor.ts'

// How many requests run from intake to the sealed package in a second, for people with little data, through five adapters. The
// reference asks the same adapters the same things (count, then copy) for as many people at once, and throws the answers away.

const REQUESTS = 200
const AT_ONCE = 16

export async function run(): Promise<Figure[]> {
  const ground = await openGround()
  try {
    const people = Array.from({ length: REQUESTS + AT_ONCE }, (_, n) => ({
      userId: `u-bench-${n}`,
      email: `bench${n}@campus.example`,
      name: 'Kamal Perera',
      country: 'DE',
      profile: 'light' as const,
      seed: 50_000 + n,
    }))
    await seedPeople(ground.lmsUrl, people)
    const service = await ground.startService('all')
    await registerAdapters(ground, service)
    await complete(ground, service, people.slice(REQUESTS)) // so that everything is warm
    resetPeak(service.pid)
    const spent = await watchProcessor(ground, service)
    const seconds = await complete(ground, service, people.slice(0, REQUESTS))
    const processor = await spent(REQUESTS)
    const took = await latencies(ground)
    const peak = peakMemory(service.pid)
    const direct = await timed(() => inTurns(people.slice(0, REQUESTS), person => askAll(ground, person)))

    const [rate, reference] = [REQUESTS / seconds, REQUESTS / direct]
    say(`  ${rate.toFixed(1)}/s, ${AT_ONCE} at once; the adapters asked directly: ${reference.toFixed(1)}/s`)
    return [
      atLeast('whole requests through five adapters', rate, 10, '/s'),
      plain('  half of them within', quantile(took, 0.5), 's'),
      plain('  95 % within', quantile(took, 0.95), 's'),
      plain('  the adapters asked directly', reference, '/s'),
      plain('  ratio', rate / reference),
      plain('  peak memory of the service', peak, 'MiB'),
      ...processor,
    ]
  } finally {
    await ground.close()
  }
}

interface Who {
  userId: string
  email: string
}

/** Opens a request for each person, never more than `AT_ONCE` unfinished, and waits for the last. @returns seconds */
async function complete(ground: Ground, service: Service, people: readonly Who[]): Promise<number> {
  const before = await completed(ground)
  return timed(async () => {
    let opened = 0
    for (let done = 0; done < people.length; done = (await completed(ground)) - before) {
      const next = people.slice(opened, done + AT_ONCE)
      opened += next.length
      await Promise.all(next.map(person => openVouched(ground, service, person)))
      await pause(20)
    }
  })
}

async function completed({ sql }: Ground): Promise<number> {
  const [row] = await sql<{ done: number; stuck: number }>(
    `SELECT count(*) FILTER (WHERE state = 'completed')::int AS done, count(*) FILTER (WHERE cardinality(flags) > 0)::int AS stuck FROM dsar_request`,
  )
  if (row?.stuck) throw new Error('A request needs a person.')
  return row?.done ?? 0
}

const latencies = async ({ sql }: Ground): Promise<number[]> =>
  (
    await sql<{ seconds: number }>(
      `SELECT extract(epoch FROM closed_at - created_at)::float AS seconds FROM dsar_request ORDER BY created_at DESC LIMIT ${REQUESTS}`,
    )
  ).map(({ seconds }) => seconds)

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items]
  const takeTurns = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, takeTurns))
}

const askAll = ({ adapters }: Ground, person: Who): Promise<unknown> =>
  Promise.all(adapters.map(adapter => collectFrom(adapter, person)))

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
