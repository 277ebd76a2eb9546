import { type Tx, write } from '../platform/database.ts'
import type { Report } from './report.ts'

export interface AdapterCheck {
  n: number
  /** Of the address and secrets that were checked. */
  contactVersion: number
  report: Report
  checkedBy: string
  checkedAt: Date
}

export async function saveCheck(
  tx: Tx,
  {
    adapterId,
    contactVersion,
    report,
    by,
    at,
  }: { adapterId: string; contactVersion: number; report: Report; by: string; at: Date },
): Promise<void> {
  await write(
    tx,
    `INSERT INTO adapter_check (adapter_id, n, contact_version, passed, report, checked_by, checked_at)
     SELECT $1, count(*) + 1, $2, $3, $4, $5, $6 FROM adapter_check WHERE adapter_id = $1`,
    [adapterId, contactVersion, report.passed, JSON.stringify(report), by, at],
  )
}

export async function lastCheckOf(tx: Tx, adapterId: string): Promise<AdapterCheck | undefined> {
  const [check] = await tx.query<AdapterCheck[]>(
    `SELECT n, contact_version AS "contactVersion", report, checked_by AS "checkedBy", checked_at AS "checkedAt"
     FROM adapter_check WHERE adapter_id = $1 ORDER BY n DESC LIMIT 1`,
    [adapterId],
  )
  return check
}

/** Makes an adapter on trial live, as it is reached now. */
export async function letIn(tx: Tx, id: string, by: string, now: Date): Promise<void> {
  await write(
    tx,
    `UPDATE adapter SET state = 'live', approved_version = contact_version, approved_by = $2, live_since = coalesce(live_since, $3),
       changed_at = $3, version = version + 1 WHERE id = $1`,
    [id, by, now],
  )
}
