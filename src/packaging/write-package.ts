import { createHash } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bagDeclaration, bagInfo, jsonFile, manifest, payloadOxum, sha256, type TagFile, tagManifest, textFile } from './bag.ts'
import { checkInput } from './check-input.ts'
import { dataPackage } from './data-package.ts'
import { indexPage } from './index-page.ts'
import { messagesFor } from './messages.ts'
import type { PackageInput } from './package-input.ts'
import { type PlacedPart, placeParts } from './place-parts.ts'
import { sign, signatureNotes } from './signature.ts'
import { summarise } from './summary.ts'
import { openVerified } from './verified.ts'
import { type ZipEntry, zip } from './zip.ts'

/** What is known of a package once its last byte was read. */
export interface PackageFacts {
  /** Of the ZIP. */
  bytes: number
  /** Of the ZIP, hexadecimal. */
  sha256: string
  /** Files in the ZIP. */
  entries: number
  /** `<octets>.<files>` of the payload (RFC 8493). */
  payloadOxum: string
  /** Of `manifest-sha256.txt`, and so of every byte of the payload. */
  manifestSha256: string
  /** Whether the package may claim to be all that there is. */
  complete: boolean
}

/**
 * Builds the one archive a person receives: a ZIP of a BagIt 1.0 bag (RFC 8493) whose payload is the parts as they are and
 * `data/summary.json`, with `index.html` for reading, `datapackage.json` for programs, and a signature over it all.
 *
 * Memory does not grow with the size of the parts, only (by about a kilobyte) with their number. Each part is opened when its turn comes
 * and checked against its declared size and digest while it passes; if one differs, or cannot be read, `stream` fails with
 * that error and `done` rejects with it. Equal input gives equal bytes.
 * @throws Error at once for an input that contradicts itself.
 */
export function writePackage(input: PackageInput): { stream: Readable; done: Promise<PackageFacts> } {
  checkInput(input)
  const { files, parts, facts } = assemble(input)
  const folder = `dsar-${input.requestId}`
  const entries: ZipEntry[] = [
    ...files.map(({ path, content }) => ({ name: `${folder}/${path}`, content, stored: false })),
    ...parts.map(({ part, path, stored }) => ({ name: `${folder}/${path}`, content: () => openVerified(part), stored })),
  ]
  const meter = createMeter()
  const done = pipeline(zip(entries, input.assembledAt), meter.stream).then(() => ({
    ...meter.read(),
    entries: entries.length,
    ...facts,
  }))
  done.catch(() => {}) // whoever reads the stream is told of the same error there
  return { stream: meter.stream, done }
}

/** All files but the parts: the digests of the parts were declared, so everything that lists them can stand before them. */
function assemble(input: PackageInput) {
  const { requestId, assembledAt, policy, signer } = input
  const messages = messagesFor(input.locale)
  const placement = placeParts(input.adapters, input.parts)
  const summary = summarise(input, placement, messages)
  const summaryFile = jsonFile('data/summary.json', summary)
  const listedSummary = { path: summaryFile.path, bytes: summaryFile.content.length, sha256: sha256(summaryFile.content) }
  const payload = [listedSummary, ...placement.all.map(listed)]
  const oxum = payloadOxum(payload)
  const manifestFile = manifest(payload)
  const tags: TagFile[] = [
    bagDeclaration(),
    textFile('index.html', indexPage({ summary, policy, keyId: signer.publicKey.kid, messages })),
    jsonFile('datapackage.json', dataPackage(input, listedSummary, placement.all, messages)),
    bagInfo({
      'Source-Organization': policy.controller.name,
      'External-Description': messages.say(`package.${input.right}`),
      'External-Identifier': requestId,
      'Bagging-Date': assembledAt.toISOString().slice(0, 10),
      'Payload-Oxum': oxum,
      'Bag-Software-Agent': 'dsar-service',
    }),
    manifestFile,
    ...signatureNotes(signer),
  ]
  const tagManifestFile = tagManifest(tags)
  const facts = { payloadOxum: oxum, manifestSha256: sha256(manifestFile.content), complete: summary.completeness.complete }
  return { files: [...tags, tagManifestFile, sign(signer, tagManifestFile), summaryFile], parts: placement.all, facts }
}

const listed = ({ part: { bytes, sha256 }, path }: PlacedPart) => ({ path, bytes, sha256 })

/** Passes bytes on, and counts and digests them. */
function createMeter() {
  const digest = createHash('sha256')
  let bytes = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      digest.update(chunk)
      bytes += chunk.length
      next(null, chunk)
    },
  })
  return { stream, read: () => ({ bytes, sha256: digest.digest('hex') }) }
}
