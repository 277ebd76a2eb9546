import type { BreakGlassReason, Contents } from '../domain/break-glass.ts'
import type { Tx } from '../platform/database.ts'

/** Contents of a case opened to one of the staff, or that they asked for it. */
export interface BreakGlass {
  n: number
  reason: BreakGlassReason
  what: Contents[]
  /** In which office it was asked for: the person is told that, and no name. */
  role: 'agent' | 'privacy_officer' | 'dpo'
  openedBy: string
  openedAt: Date
  approvedBy: string | null
  approvedAt: Date | null
  expiresAt: Date | null
}

export type SealedGlass = BreakGlass & { textSealed: Buffer | null }

const COLUMNS = `n, reason, what, role, opened_by AS "openedBy", opened_at AS "openedAt", approved_by AS "approvedBy",
  approved_at AS "approvedAt", expires_at AS "expiresAt", text_sealed AS "textSealed"`

export const glassesOf = (read: Tx, requestId: string): Promise<SealedGlass[]> =>
  read.query(`SELECT ${COLUMNS} FROM break_glass WHERE request_id = $1 ORDER BY n`, [requestId])

export async function insertGlass(tx: Tx, requestId: string, glass: SealedGlass): Promise<void> {
  await tx.query(
    `INSERT INTO break_glass (request_id, n, reason, what, role, text_sealed, opened_by, opened_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [requestId, glass.n, glass.reason, glass.what, glass.role, glass.textSealed, glass.openedBy, glass.openedAt],
  )
}

export async function noteApproval(tx: Tx, requestId: string, n: number, by: string, at: Date, expiresAt: Date): Promise<void> {
  await tx.query('UPDATE break_glass SET approved_by = $3, approved_at = $4, expires_at = $5 WHERE request_id = $1 AND n = $2', [
    requestId,
    n,
    by,
    at,
    expiresAt,
  ])
}

/** What is open right now to whoever asked for it, and to nobody else. */
export async function openGlass(
  read: Tx,
  requestId: string,
  { viewer, what, now }: { viewer: string; what: Contents; now: Date },
): Promise<SealedGlass | undefined> {
  const [glass] = await read.query<SealedGlass[]>(
    `SELECT ${COLUMNS} FROM break_glass WHERE request_id = $1 AND opened_by = $2 AND $3 = ANY (what) AND expires_at > $4 ORDER BY n DESC LIMIT 1`,
    [requestId, viewer, what, now],
  )
  return glass
}
