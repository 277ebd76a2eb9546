import { fork, spawnSync } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createDeflateRaw } from 'node:zlib'
import { filesystemBlobs } from '../src/platform/blobs.filesystem.ts'
import { csvHeader, csvRow } from '../src/platform/csv.ts'
import { writePart } from '../src/tasks/part-writer.ts'
import type { Part } from '../src/tasks/parts.store.ts'
import { atLeast, below, type Figure, plain, say } from './figures.ts'
import { ROOT } from './ground.ts'
import type { Packed } from './packing-process.ts'

// How fast collected parts become one sealed package: opened, checked against their digests, compressed, described, signed, sealed
// and stored. The reference is `zip -6 -r` of the same bytes as plain files (without zip: zlib at level 6, and nothing but that).

const MIB = 2 ** 20

interface File {
  dataset: string
  kind: Part['kind']
  number: number
  path: string
}

export async function run(): Promise<Figure[]> {
  return [
    ...(await measure('1 GiB of mixed data', mixed)),
    ...(await measure('20,000 small records', folder => records(folder, 10, 2_000))),
  ]
}

async function measure(what: string, make: (folder: string) => File[]): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'dsar-bench-'))
  try {
    const plainFolder = join(dir, 'plain')
    mkdirSync(plainFolder)
    const files = make(plainFolder)
    const size = files.reduce((sum, { path }) => sum + statSync(path).size, 0) / MIB
    const packed = await pack(dir, files)
    const reference = await zipped(dir, plainFolder)
    say(
      `  ${what}: ${size.toFixed(0)} MiB in ${files.length} files packed in ${packed.seconds.toFixed(2)} s to ${(packed.bytes / MIB).toFixed(1)} MiB`,
    )
    say(`    ${reference.how}: ${reference.seconds.toFixed(2)} s, ${(reference.bytes / MIB).toFixed(1)} MiB`)
    return [
      plain(`packaging, ${what}`, packed.seconds, 's'),
      plain(`  ${reference.how}`, reference.seconds, 's'),
      atLeast('  speed, as a multiple of it', reference.seconds / packed.seconds, 1),
      below('  peak memory', packed.peak, 256, 'MiB'),
    ]
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function pack(dir: string, files: readonly File[]): Promise<Packed> {
  const key = randomBytes(32)
  const blobs = filesystemBlobs(join(dir, 'blobs'))
  const parts: Part[] = []
  for (const [n, { path, ...file }] of files.entries()) {
    const blobKey = `parts/${n}`
    const writer = writePart(blobs, createSecretKey(key), blobKey)
    for await (const chunk of createReadStream(path)) await writer.write(chunk as Buffer)
    const mediaType = MEDIA_TYPES[file.kind]
    parts.push({ ...(await writer.finish()), ...file, id: String(n), requestId: '', adapter: 'bench', mediaType, blobKey })
  }
  const partsFile = join(dir, 'parts.json')
  writeFileSync(partsFile, JSON.stringify(parts.map(part => ({ ...part, inline: part.inline?.toString('base64') ?? null }))))
  const child = fork(join(ROOT, 'bench/packing-process.ts'), [join(dir, 'blobs'), partsFile, key.toString('hex')], { cwd: ROOT })
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('Packing failed.')))
  failed.catch(() => {}) // when the answer came first
  const [packed] = (await Promise.race([once(child, 'message'), failed])) as [Packed]
  return packed
}

const MEDIA_TYPES = { records: 'application/json', table: 'text/csv', file: 'image/jpeg' } as const

async function zipped(dir: string, folder: string): Promise<{ how: string; seconds: number; bytes: number }> {
  const out = join(dir, 'reference.zip')
  const started = performance.now()
  const took = () => (performance.now() - started) / 1000
  if (spawnSync('zip', ['-6', '-r', '-q', out, '.'], { cwd: folder }).status === 0)
    return { how: 'zip -6 -r', seconds: took(), bytes: statSync(out).size }
  const bytesOf = async function* () {
    for (const name of readdirSync(folder)) yield* createReadStream(join(folder, name))
  }
  await pipeline(bytesOf, createDeflateRaw({ level: 6 }), createWriteStream(out))
  return { how: 'zlib, level 6', seconds: took(), bytes: statSync(out).size }
}

/** Half JSON records, 15 % the same as tables, 35 % what is compressed already. */
function mixed(folder: string): File[] {
  const json = Array.from({ length: 8 }, (_, n) => ({
    dataset: `set_${n}`,
    kind: 'records' as const,
    number: 0,
    bytes: 64 * MIB,
  }))
  const csv = Array.from({ length: 8 }, (_, n) => ({
    dataset: `set_${n}`,
    kind: 'table' as const,
    number: 0,
    bytes: 0.15 * 128 * MIB,
  }))
  const photos = Array.from({ length: 70 }, (_, n) => ({
    dataset: 'photos',
    kind: 'file' as const,
    number: n + 1,
    bytes: 0.35 * (1024 / 70) * MIB,
  }))
  return [...json, ...csv, ...photos].map(({ bytes, ...file }, n) => {
    const path = join(folder, `${String(n).padStart(3, '0')}-${file.dataset}.${file.kind}`)
    writeFileSync(path, file.kind === 'file' ? randomBytes(Math.floor(bytes)) : filled(file.kind, n * 1_000_000, bytes))
    return { ...file, path }
  })
}

function records(folder: string, datasets: number, each: number): File[] {
  return Array.from({ length: datasets }, (_, n) => {
    const rows = Array.from({ length: each }, (_, i) => recordOf(n * each + i))
    const contents = {
      records: `[\n${rows.map(row => JSON.stringify(row)).join(',\n')}\n]\n`,
      table: csvHeader(COLUMNS) + rows.map(row => csvRow(COLUMNS, row)).join(''),
    }
    return (['records', 'table'] as const).map(kind => {
      const path = join(folder, `set_${n}.${kind}`)
      writeFileSync(path, contents[kind])
      return { dataset: `set_${n}`, kind, number: 0, path }
    })
  }).flat()
}

const COLUMNS = ['id', 'createdAt', 'course', 'text', 'score', 'ip', 'tags']
const WORDS =
  'the of learner course answer essay because history question art value between model second write forum proof'.split(' ')

/** Different for each number, and no easier to compress than what people write and machines note. */
function recordOf(number: number) {
  const noise = (salt: number) => Math.imul(number ^ (salt * 0x9e3779b1), 0x85ebca6b) >>> 0
  const word = (salt: number) => WORDS[noise(salt) % WORDS.length]
  return {
    id: number,
    createdAt: new Date(1.6e12 + noise(1) * 30).toISOString(),
    course: `Course ${noise(2) % 200}`,
    text: Array.from({ length: 12 }, (_, i) => word(i + 3)).join(' '),
    score: (noise(20) % 1000) / 10,
    ip: `198.51.100.${noise(21) % 254}`,
    tags: [word(22), word(23)],
  }
}

/** Records up to that many bytes: some megabytes of them, again and again. Compression looks back 32 KiB and sees no repetition. */
function filled(kind: 'records' | 'table', from: number, bytes: number): Buffer {
  const block = Array.from({ length: 20_000 }, (_, i) => recordOf(from + i))
    .map(record => (kind === 'records' ? `${JSON.stringify(record)},\n` : csvRow(COLUMNS, record)))
    .join('')
  return Buffer.alloc(Math.floor(bytes), block)
}
