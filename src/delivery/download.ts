import type { Readable } from 'node:stream'
import type { Static } from 'typebox'
import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Database, Tx } from '../platform/database.ts'
import { openRange } from '../platform/sealed-range.ts'
import type { Vault } from '../platform/vault.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import type { DataKeyOf } from '../requests/data-key.ts'
import { canBeTold } from '../requests/decision-letter.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { isDataSubject } from '../requests/visible-request.ts'
import { useCode } from '../verification/check-code.ts'
import type { Granted } from './download-bodies.ts'
import { issueGrant, type Link, linkByToken, requestOfGrant, takeUse } from './links.store.ts'
import { isLive, packageOf, type SealedPackage } from './packages.store.ts'

export interface DownloadDeps extends CaseDeps, IdentityDeps, Database {
  vault: Vault
  keyOf: DataKeyOf
  blobs: BlobStore
}

export interface OpenDeps {
  keyOf: DataKeyOf
  blobs: Pick<BlobStore, 'get'>
}

const GRANT_MINUTES = 60

/** A link that opens something: unknown is one thing (404), ended, used up and revoked are another (410). @throws Problem */
export async function liveLinkFor(deps: DownloadDeps, tx: Tx, token: string): Promise<Link> {
  const link = await linkByToken(deps, tx, token)
  if (!link) throw new Problem('not_found')
  const now = deps.clock.now()
  const sealed = await packageOf(tx, link.requestId)
  if (!sealed || !isLive(sealed, now) || link.revokedAt || link.expiresAt <= now || link.usesLeft < 1)
    throw new Problem('gone', 'This link has expired, was used up, or was replaced by a newer one. A new one can be asked for.')
  return link
}

/** Who may have the content through a link: whoever typed the code from the mail, or the data subject logged in at the portal. */
export type Admission = { challengeId: string } | { caller: Caller }

/** Turns a proof into a short-lived grant, and takes one use off the link. @throws Problem `gone`, `step_up_required`, `proof_refused` */
export async function admit(
  deps: DownloadDeps,
  tx: Tx,
  link: Link,
  admission: Admission,
  caller: Caller,
): Promise<{ grant: string; expiresAt: Date }> {
  const now = deps.clock.now()
  const request = await lockRequest(tx, link.requestId)
  if ('challengeId' in admission) await useCode(tx, admission.challengeId, now)
  else if (!(await isDataSubject(deps, tx, link.requestId, admission.caller)))
    throw new Problem('step_up_required', 'Type the code that was mailed, or log in as the person the package is for.')
  // Also of a request that was handed over meanwhile, by a letter that was on its way when more came to be needed.
  if (request.assurance < request.assuranceNeeded)
    throw new Problem('step_up_required', 'Since the link was sent, a stronger or newer proof of who asks is needed.')
  const usesLeft = await takeUse(tx, link.id)
  if (usesLeft === undefined) throw new Problem('gone', 'This link was used up. A new one can be asked for.')

  const expiresAt = new Date(Math.min(now.getTime() + GRANT_MINUTES * 60_000, link.expiresAt.getTime()))
  const grant = await issueGrant(deps, tx, link.id, expiresAt)
  const by = toActor(caller)
  await deps.record(tx, requestStream(link.requestId), by, 'download_granted', { linkId: link.id, usesLeft })
  if (request.state === 'delivering') await applyEvent(deps, tx, request.id, 'handed_over', by, { by: 'download' })
  if (!(await canBeTold(deps, tx, request))) await setFlag(deps, tx, request.id, 'mail_undeliverable', false, by)
  return { grant, expiresAt }
}

/** The answer to whoever was admitted: where the package lies, and for how long. */
export async function viewGrant(
  { publicUrl, read }: { publicUrl: string; read: Tx },
  requestId: string,
  { grant, expiresAt }: { grant: string; expiresAt: Date },
): Promise<Static<typeof Granted>> {
  const sealed = await packageOf(read, requestId)
  if (!sealed) throw new Problem('not_found')
  const { bytes, sha256 } = sealed
  return { contentUrl: `${publicUrl}/v1/downloads/content/${grant}`, expiresAt: expiresAt.toISOString(), bytes, sha256 }
}

/** The package a grant opens. @throws Problem `gone` */
export async function packageOfGrant(deps: DownloadDeps, grant: string): Promise<SealedPackage> {
  const now = deps.clock.now()
  const requestId = await requestOfGrant(deps, deps.read, grant, now)
  const sealed = requestId && (await packageOf(deps.read, requestId))
  if (!sealed || !isLive(sealed, now)) throw new Problem('gone', 'This has expired. Open the link from the mail again.')
  return sealed
}

/** The bytes of a package from `start` to `end`, both included, decrypted as they are read. */
export async function openPackage(
  deps: OpenDeps,
  { requestId, blobKey, sealedBytes }: SealedPackage,
  range: { start: number; end: number },
): Promise<Readable> {
  const key = await deps.keyOf(requestId)
  const fetch = (start: number, end: number) => deps.blobs.get(blobKey, { start, end })
  return openRange(key, blobKey, { size: sealedBytes, fetch }, range)
}

const CHECK_EVERY_MS = 2000

/** The bytes that a grant opens. While they flow it is looked at again and again: who revokes a package ends the downloads of it, too. */
export async function contentOf(
  deps: DownloadDeps,
  sealed: SealedPackage,
  grant: string,
  range: { start: number; end: number },
): Promise<Readable> {
  const content = await openPackage(deps, sealed, range)
  const watch = setInterval(() => {
    packageOfGrant(deps, grant).catch(error => content.destroy(error as Error))
  }, CHECK_EVERY_MS)
  content.once('close', () => clearInterval(watch))
  return content
}
