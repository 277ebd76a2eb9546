import type { Tx } from '../platform/database.ts'

/** The archive as built: where it lies, how large it is, until when. */
export interface SealedPackage {
  requestId: string
  blobKey: string
  bytes: number
  sealedBytes: number
  sha256: string
  entries: number
  manifestSha256: string
  sealedAt: Date
  expiresAt: Date
  revokedAt: Date | null
  destroyedAt: Date | null
}

export async function packageOf(tx: Tx, requestId: string): Promise<SealedPackage | undefined> {
  const [row] = await tx.query<SealedPackage[]>(
    `SELECT request_id AS "requestId", blob_key AS "blobKey", bytes, sealed_bytes AS "sealedBytes", sha256, entries,
            manifest_sha256 AS "manifestSha256", sealed_at AS "sealedAt", expires_at AS "expiresAt", revoked_at AS "revokedAt",
            destroyed_at AS "destroyedAt"
     FROM sealed_package WHERE request_id = $1`,
    [requestId],
  )
  return row
}

/** Whether it can still be fetched. */
export const isLive = (sealed: SealedPackage, now: Date): boolean =>
  !sealed.revokedAt && !sealed.destroyedAt && sealed.expiresAt > now
