import type { Tx } from '../platform/database.ts'

export const DOCUMENTS = ['passport', 'identity_card', 'residence_permit', 'driving_licence'] as const
export const CHECK_STATES = ['proposed', 'agreed', 'rejected'] as const

/** What two support agents make of who somebody is: kinds of facts that were right, never what was said. */
export interface SupportCheck {
  n: number
  state: (typeof CHECK_STATES)[number]
  facts: string[]
  /** That such a document was held up. Nothing of it is kept. */
  documentSeen: (typeof DOCUMENTS)[number] | null
  checkedBy: string
  checkedAt: Date
  secondBy: string | null
  secondAt: Date | null
}

const COLUMNS = `n, state, facts, document_seen AS "documentSeen", checked_by AS "checkedBy", checked_at AS "checkedAt",
  second_by AS "secondBy", second_at AS "secondAt"`

/** Keeps what the first agent found; a first finding that nobody has looked at yet gives way to it. */
export async function insertCheck(
  tx: Tx,
  requestId: string,
  check: Pick<SupportCheck, 'facts' | 'documentSeen' | 'checkedBy' | 'checkedAt'>,
): Promise<SupportCheck> {
  await tx.query(`UPDATE support_check SET state = 'rejected' WHERE request_id = $1 AND state = 'proposed'`, [requestId])
  const [kept] = await tx.query<SupportCheck[]>(
    `INSERT INTO support_check (request_id, n, state, facts, document_seen, checked_by, checked_at)
     SELECT $1, coalesce(max(n), 0) + 1, 'proposed', $2, $3, $4, $5 FROM support_check WHERE request_id = $1 RETURNING ${COLUMNS}`,
    [requestId, check.facts, check.documentSeen, check.checkedBy, check.checkedAt],
  )
  return kept as SupportCheck
}

export const checksOf = (read: Tx, requestId: string): Promise<SupportCheck[]> =>
  read.query(`SELECT ${COLUMNS} FROM support_check WHERE request_id = $1 ORDER BY n`, [requestId])

export async function settleCheck(
  tx: Tx,
  requestId: string,
  n: number,
  { state, by, at }: { state: 'agreed' | 'rejected'; by: string; at: Date },
): Promise<SupportCheck> {
  const [[settled]] = await tx.query<[SupportCheck[], number]>(
    `UPDATE support_check SET state = $3, second_by = $4, second_at = $5 WHERE request_id = $1 AND n = $2 RETURNING ${COLUMNS}`,
    [requestId, n, state, by, at],
  )
  return settled as SupportCheck
}
