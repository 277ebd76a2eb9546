import { randomUUIDv7 } from 'node:crypto'
import { pipeline } from 'node:stream'
import { pipeline as piped } from 'node:stream/promises'
import { system } from '../domain/actor.ts'
import { dayIn } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import { isPackaged, type PackagedRight } from '../domain/rights.ts'
import { forwardingsOf } from '../fulfilment/forwardings.store.ts'
import type { BlobStore } from '../platform/blobs.ts'
import { type Transact, type Tx, write } from '../platform/database.ts'
import { openSmall, openStream, sealStream } from '../platform/sealed-stream.ts'
import type { DataKey, Vault } from '../platform/vault.ts'
import type { Policy } from '../policy/policy.ts'
import { applyEvent, type CaseDeps, getRequest, lockRequest } from '../requests/apply-event.ts'
import type { DataKeyOf } from '../requests/data-key.ts'
import { partsOf, type Part as StoredPart } from '../tasks/parts.store.ts'
import { tasksOf } from '../tasks/tasks.store.ts'
import { answersOf } from './answers-of.ts'
import type { PackageInput, Part } from './package-input.ts'
import { type PackageFacts, writePackage } from './write-package.ts'

export interface BuildDeps extends CaseDeps {
  transact: Transact
  read: Tx
  blobs: BlobStore
  vault: Vault
  keyOf: DataKeyOf
  policy: Policy
  /** How long a package can be fetched. */
  packageDays: number
}

/**
 * Packs everything collected for a request into one archive, sealed as it is written. Two workers may do so at once: each
 * writes a blob of its own, the one that commits first is kept, and the other's is taken away.
 */
export async function buildPackage(deps: BuildDeps, requestId: string): Promise<void> {
  const request = await getRequest(deps.read, requestId)
  if (request?.state !== 'packaging' || !isPackaged(request.right)) return
  const key = await deps.keyOf(requestId)
  const blobKey = `requests/${requestId}/package-${randomUUIDv7()}`

  const { stream, done } = writePackage(await inputFor(deps, { ...request, right: request.right }, key))
  const sealed = { bytes: 0 }
  await piped(stream, sealStream(key, blobKey), async source => {
    sealed.bytes = (await deps.blobs.put(blobKey, source)).bytes
  })
  const facts = await done
  const kept = await deps.transact(tx => keep(deps, tx, requestId, blobKey, sealed.bytes, facts))
  if (!kept) await deps.blobs.delete(blobKey)
}

async function inputFor(deps: BuildDeps, request: DsarRequest & { right: PackagedRight }, key: DataKey): Promise<PackageInput> {
  const { blobs, vault, policy, clock, read } = deps
  const [publicKey] = vault.publicKeys()
  if (!publicKey) throw new Error('The vault has no signing key.')
  return {
    requestId: request.id,
    right: request.right,
    receivedAt: request.receivedAt,
    assembledAt: clock.now(),
    locale: request.locale,
    policy,
    adapters: answersOf(await tasksOf(read, request.id), request.scope),
    forwardings: (await forwardingsOf(read, request.id)).map(({ controller, contact, datasets, forwardedAt, dueOn }) => ({
      ...{ controller, contact, datasets, dueOn },
      forwardedOn: dayIn(forwardedAt, request.timeZone),
    })),
    parts: (await partsOf(deps, read, request.id)).map(part => openable(blobs, key, part)),
    signer: { sign: bytes => vault.sign(bytes), publicKey },
  }
}

/** A kept piece as the package takes it: opened, and its seal checked, while it is read. */
export function openable(blobs: BlobStore, key: DataKey, part: StoredPart): Part {
  const { adapter, dataset, kind, number, mediaType, bytes, sha256, originalName, blobKey, inline } = part
  const open = async () =>
    inline ? openSmall(key, blobKey, inline) : pipeline(await blobs.get(blobKey), openStream(key, blobKey), () => {})
  const common = { adapter, dataset, bytes, sha256, open }
  return kind === 'file'
    ? { ...common, kind, number, mediaType, ...(originalName !== undefined && { originalName }) }
    : { ...common, kind }
}

async function keep(
  deps: BuildDeps,
  tx: Tx,
  requestId: string,
  blobKey: string,
  sealedBytes: number,
  facts: PackageFacts,
): Promise<boolean> {
  const request = await lockRequest(tx, requestId)
  if (request.state !== 'packaging') return false
  const now = deps.clock.now()
  await write(
    tx,
    `INSERT INTO sealed_package (request_id, blob_key, bytes, sealed_bytes, sha256, entries, manifest_sha256, sealed_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      requestId,
      blobKey,
      facts.bytes,
      sealedBytes,
      facts.sha256,
      facts.entries,
      facts.manifestSha256,
      now,
      new Date(now.getTime() + deps.packageDays * 86_400_000),
    ],
  )
  await applyEvent(deps, tx, requestId, 'package_sealed', system('packaging'), {
    bytes: facts.bytes,
    entries: facts.entries,
    sha256: facts.sha256,
    manifestSha256: facts.manifestSha256,
    complete: facts.complete,
  })
  return true
}
