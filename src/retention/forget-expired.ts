import { requestStream } from '../audit/record.ts'
import { forgetTokenUses } from '../auth/one-shot.ts'
import { revokeLinks } from '../delivery/links.store.ts'
import { system } from '../domain/actor.ts'
import type { BlobStore } from '../platform/blobs.ts'
import { realTime } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import { forgetKeys } from '../platform/idempotency.ts'
import { forgetRateLimits } from '../platform/rate-limit.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { destroyDataKey } from '../requests/data-key.ts'
import { endFreezes, type FreezeDeps } from '../requests/freeze.ts'
import { forgetOpenings } from '../requests/viewing-budget.store.ts'
import { forgetRepudiationLinks } from '../verification/repudiation-links.store.ts'
import { forgetDeliveries } from '../webhooks/deliveries.store.ts'
import { type DestroyAttachmentsDeps, destroyAttachments } from './destroy-attachments.ts'
import { type ForgetErasedDeps, forgetErased } from './forget-erased.ts'

export interface ForgetDeps extends ForgetErasedDeps, DestroyAttachmentsDeps, Omit<FreezeDeps, 'vault'> {
  blobs: BlobStore
}

const BY = system('retention')
const HOUR_MS = 3_600_000
const IDEMPOTENCY_DAYS = 30

/**
 * Forgets in time: packages past their day, pieces that were packed, attachments, blobs that nobody refers to, keys of old calls, uses of old tokens, who was erased. What
 * cannot be forgotten just now does not hold up the rest, and is tried again.
 */
export async function forgetExpired(deps: ForgetDeps): Promise<void> {
  const now = deps.clock.now()
  const reallyNow = realTime(deps.clock) // files and calls bear the time of the machines
  await eachInTurn(
    [
      () => destroyPackages(deps, now),
      () => removePackedParts(deps),
      () => destroyAttachments(deps, now),
      () => sweepOrphans(deps, reallyNow),
      () => forgetKeys(deps.read, new Date(reallyNow.getTime() - IDEMPOTENCY_DAYS * 24 * HOUR_MS)),
      () => forgetTokenUses(deps.read, reallyNow),
      () => deps.read.query('DELETE FROM download_grant WHERE expires_at < $1', [now]),
      () => forgetRateLimits(deps.read),
      () => forgetOpenings(deps.read, now),
      () => forgetErased(deps, now),
      () => endFreezes(deps),
      () => forgetRepudiationLinks(deps.read, now),
      () => forgetDeliveries(deps.read, now),
    ],
    forget => forget(),
  )
}

/** The key goes first: from then on the bytes are noise, whenever they are deleted and wherever a copy of them lies. */
async function destroyPackages(deps: ForgetDeps, now: Date): Promise<void> {
  const due = await deps.read.query<{ requestId: string; blobKey: string }[]>(
    `SELECT request_id AS "requestId", blob_key AS "blobKey" FROM sealed_package
     WHERE destroyed_at IS NULL AND (expires_at <= $1 OR revoked_at IS NOT NULL)`,
    [now],
  )
  await eachInTurn(due, async ({ requestId, blobKey }) => {
    await deps.transact(tx => destroyDataKey(tx, requestId))
    await deps.blobs.delete(blobKey)
    await deps.transact(async tx => {
      await lockRequest(tx, requestId)
      await revokeLinks(tx, requestId, now)
      const [, destroyed] = await tx.query<[unknown[], number]>(
        'UPDATE sealed_package SET destroyed_at = $2 WHERE request_id = $1 AND destroyed_at IS NULL',
        [requestId, now],
      )
      if (destroyed === 1) await deps.record(tx, requestStream(requestId), BY, 'package_destroyed')
    })
  })
}

/** Once a package is sealed, the pieces it was made of are held twice. */
async function removePackedParts(deps: ForgetDeps): Promise<void> {
  const packed = await deps.read.query<{ id: string; blobKey: string }[]>(
    `SELECT p.id, p.blob_key AS "blobKey" FROM part p JOIN dsar_request r ON r.id = p.request_id
     WHERE r.state IN ('delivering', 'completed') LIMIT 10000`,
  )
  for (const { blobKey } of packed) await deps.blobs.delete(blobKey)
  await deps.read.query('DELETE FROM part WHERE id = ANY($1)', [packed.map(({ id }) => id)])
}

/** What a killed worker left behind: blobs older than an hour that no row names, unless their task is at work right now. */
async function sweepOrphans(deps: ForgetDeps, now: Date): Promise<void> {
  const old = new Date(now.getTime() - HOUR_MS)
  await deps.blobs.sweepPartials(old)
  for await (const { key, modifiedAt } of deps.blobs.list('requests/')) {
    if (modifiedAt < old && !(await isNamed(deps.read, key))) await deps.blobs.delete(key)
  }
}

async function isNamed(read: Tx, key: string): Promise<boolean> {
  const found = await read.query<unknown[]>(
    `SELECT 1 FROM part WHERE blob_key = $1 UNION ALL SELECT 1 FROM sealed_package WHERE blob_key = $1
     UNION ALL SELECT 1 FROM attachment WHERE state IN ('scanning', 'clean') AND $1 = 'requests/' || request_id || '/attachments/' || id
     UNION ALL SELECT 1 FROM delivered_answer d JOIN task t ON t.id = d.task_id WHERE d.blob_key = $1 AND t.state <> 'done'
     UNION ALL SELECT 1 FROM task WHERE state = 'running' AND lease_until > now() AND starts_with($1, 'requests/' || request_id || '/parts/' || id)
     UNION ALL SELECT 1 FROM dsar_request WHERE state = 'packaging' AND starts_with($1, 'requests/' || id || '/package-') LIMIT 1`,
    [key],
  )
  return found.length > 0
}
