import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { entriesOf, type RecordedEntry } from '../audit/entries.ts'
import { viewEntry } from '../audit/entry-view.ts'
import { type Recorder, requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { jsonFile, sha256, type TagFile, textFile } from '../packaging/bag.ts'
import { zip } from '../packaging/zip.ts'
import type { Clock } from '../platform/clock.ts'
import type { Transact } from '../platform/database.ts'
import { type PublicJwk, toPem } from '../platform/signing.ts'
import type { Vault } from '../platform/vault.ts'
import { lockRequest } from '../requests/apply-event.ts'
import type { ClocksDeps } from '../requests/clocks-of.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { factsOf } from './evidence-facts.ts'
import { reachOf } from './evidence-reach.ts'

export interface EvidenceDeps extends IdentityDeps, ClocksDeps {
  transact: Transact
  record: Recorder
  clock: Clock
  vault: IdentityDeps['vault'] & Pick<Vault, 'sign'>
  publicKeys(): PublicJwk[]
  publicUrl: string
}

const source = (name: string) => readFileSync(new URL(`./evidence/${name}`, import.meta.url), 'utf8')
const README = textFile('README.txt', source('read-me.txt'))
const VERIFIER = textFile('verify.mjs', source('verify.mjs'))

/**
 * All that shows how a request was dealt with, as a ZIP that proves itself offline: for a supervisory authority (GDPR Art. 5(2), 31,
 * 58(1)). Nothing in it was collected, and nothing says who the person is. That it was taken is on the record, and so the
 * last entry in it. @throws Problem `not_found`
 */
export async function takeEvidence(deps: EvidenceDeps, requestId: string, caller: Caller): Promise<Readable> {
  const takenAt = deps.clock.now()
  const files = await deps.transact(async tx => {
    await visibleRequest(deps, tx, requestId, caller)
    const request = await lockRequest(tx, requestId)
    await deps.record(tx, requestStream(requestId), toActor(caller), 'evidence_taken')
    const entries = await entriesOf(tx, requestStream(requestId))
    const facts = [...(await factsOf(deps, tx, request, entries)), ...(await reachOf(deps, tx, request, entries))]
    return signed(deps, entries, facts, takenAt)
  })
  return zip(
    files.map(({ path, content }) => ({ name: `evidence-${requestId}/${path}`, content, stored: false })),
    takenAt,
  )
}

/** The files, those that prove them, and the signature over it all. */
function signed(
  { vault, publicKeys, publicUrl }: EvidenceDeps,
  entries: readonly RecordedEntry[],
  facts: readonly TagFile[],
  takenAt: Date,
): TagFile[] {
  const [publicKey] = publicKeys()
  const head = entries.at(-1)
  if (!publicKey || !head) throw new Error('Nothing is evidence without a key and a record.')
  const files = [
    README,
    VERIFIER,
    ...facts,
    jsonFile('timeline.json', { entries: entries.map(viewEntry) }),
    jsonFile('public-keys.json', { keys: publicKeys() }),
    textFile('public-key.pem', toPem(publicKey)),
  ]
  const manifest = jsonFile('manifest.json', {
    takenAt: takenAt.toISOString(),
    stream: head.stream,
    head: { seq: head.seq, hash: head.hash.toString('hex') },
    keyId: publicKey.kid,
    publishedKeys: `${publicUrl}/v1/signing-keys`,
    files: files.map(({ path, content }) => ({ name: path, bytes: content.length, sha256: sha256(content) })),
  })
  return [...files, manifest, { path: 'manifest.json.sig', content: vault.sign(manifest.content).signature }]
}
