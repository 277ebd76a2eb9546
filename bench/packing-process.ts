import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { openable } from '../src/packaging/build-package.ts'
import { writePackage } from '../src/packaging/write-package.ts'
import { filesystemBlobs } from '../src/platform/blobs.filesystem.ts'
import { sealStream } from '../src/platform/sealed-stream.ts'
import type { Part } from '../src/tasks/parts.store.ts'
import { adapter, dataset, packageInput } from '../test/support/package-builder.ts'
import { peakMemory, resetPeak } from './memory.ts'

// Packs sealed parts into one sealed package, in a process of its own. `node bench/packing-process.ts <blobs> <file of parts> <key>`

export interface Packed {
  seconds: number
  bytes: number
  entries: number
  peak: number
}

const [folder = '', partsFile = '', keyHex = ''] = process.argv.slice(2)
const key = createSecretKey(Buffer.from(keyHex, 'hex'))
const blobs = filesystemBlobs(folder)
// Inline bytes have been through JSON.
const parts = (JSON.parse(readFileSync(partsFile, 'utf8')) as (Omit<Part, 'inline'> & { inline: string | null })[]).map(
  ({ inline, ...part }) => ({ ...part, inline: inline === null ? null : Buffer.from(inline, 'base64') }),
)

async function pack(name: string, chosen: readonly (typeof parts)[number][]) {
  const datasets = [...new Set(chosen.map(part => part.dataset))]
  const { stream, done } = writePackage(
    packageInput({
      adapters: [adapter({ name: 'bench', datasets: datasets.map(of => dataset({ name: of, title: of })) })],
      parts: chosen.map(part => openable(blobs, key, part)),
    }),
  )
  await pipeline(stream, sealStream(key, name), async source => {
    await blobs.put(name, source)
  })
  return done
}

await pack('first', parts.slice(0, 2)) // a worker has packed before, and what it did once is compiled
resetPeak(process.pid)
const started = performance.now()
const { bytes, entries } = await pack('package', parts)
const seconds = (performance.now() - started) / 1000
process.send?.({ seconds, bytes, entries, peak: peakMemory(process.pid) } satisfies Packed)
