import { CALL_LIMITS } from '../src/adapters/call-limits.ts'
import { readCollectStream } from '../src/adapters/collect-stream.ts'
import { startCollection } from '../src/adapters/collection.ts'
import type { TaskCall } from '../src/adapters/protocol.ts'
import { type Figure, plain, quantile, say } from './figures.ts'

// How fast a collect stream is read and checked, against splitting the same text and JSON.parse alone.

const LINES = 170_000
const ROUNDS = 6
const subject = { type: 'user_id', value: 'u-1029' }
const record = (id: number) => ({
  id,
  createdAt: '2026-01-02T03:04:05.000Z',
  course: 'Introduction to the history of art',
  text: 'x'.repeat(150),
  grade: 4.5,
  tags: ['essay', 'draft'],
  client: { ip: '192.0.2.1', agent: 'Mozilla/5.0 (Zürich)' },
})
const lines = Array.from({ length: LINES }, (_, id) => `{"dataset":"posts","record":${JSON.stringify(record(id))}}\n`).join('')
const text = `${lines}${JSON.stringify({ end: { matched: [subject], counts: { posts: LINES } } })}\n`
const bytes = Buffer.from(text)

const task: TaskCall = {
  taskId: 't',
  requestId: 'r',
  action: 'collect',
  attempt: 1,
  dryRun: false,
  subject: { identities: [subject] },
  scope: { datasets: ['posts'] },
  parameters: {},
  dueAt: '2030-01-01T00:00:00Z',
}

async function* fromTheNetwork(): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

async function megabytesPerSecond(run: () => unknown): Promise<number> {
  const started = performance.now()
  await run()
  return bytes.length / 1000 / (performance.now() - started)
}

const noSink = { record() {}, file: () => Promise.reject(new Error('no files here')) }
const noFiles = () => Promise.reject(new Error('no files here'))
const parseOnly = () => text.split('\n').map(line => line && JSON.parse(line))
const readStream = () => readCollectStream(fromTheNetwork(), startCollection(task, CALL_LIMITS, noSink, noFiles))

export async function run(): Promise<Figure[]> {
  const rounds: { ours: number; parse: number }[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    const speeds = { ours: await megabytesPerSecond(readStream), parse: await megabytesPerSecond(parseOnly) }
    say(`  ${speeds.ours.toFixed(0)} MB/s, JSON.parse alone ${speeds.parse.toFixed(0)} MB/s`)
    rounds.push(speeds)
  }
  const median = (of: (round: (typeof rounds)[number]) => number) => quantile(rounds.map(of), 0.5)
  return [
    plain(
      'a collect stream read and checked',
      median(({ ours }) => ours),
      'MB/s',
    ),
    plain(
      '  split and JSON.parse alone',
      median(({ parse }) => parse),
      'MB/s',
    ),
    plain(
      '  ratio',
      median(({ ours, parse }) => ours / parse),
    ),
  ]
}
