import type { Tx } from '../platform/database.ts'
import type { Side } from '../requests/messages.store.ts'

export const ATTACHMENT_STATES = ['scanning', 'clean', 'refused', 'deleted'] as const
/** Where a file stands: nobody gets it before it was found clean, and one that was not is destroyed at once. */
export type AttachmentState = (typeof ATTACHMENT_STATES)[number]

/** A file that goes with a message, without its bytes. */
export interface Attachment {
  id: string
  requestId: string
  /** The message that it was sent with, once it was. */
  messageId: string | null
  from: Side
  state: AttachmentState
  /** Under the data key of the request. */
  nameSealed: Buffer | null
  bytes: number
  /** Of the plain bytes, in hex. */
  sha256: string
  /** What a scanner calls that for which it was refused. */
  found: string | null
  at: Date
  scannedAt: Date | null
  deletedAt: Date | null
}

const COLUMNS = `id, request_id AS "requestId", message_id AS "messageId", side AS "from", state, name_sealed AS "nameSealed", bytes,
  encode(sha256, 'hex') AS sha256, found, created_at AS at, scanned_at AS "scannedAt", deleted_at AS "deletedAt"`

/** Where the sealed bytes lie; also what they are sealed for. */
export const blobKeyOf = ({ requestId, id }: Pick<Attachment, 'requestId' | 'id'>): string =>
  `requests/${requestId}/attachments/${id}`

export async function insertAttachment(
  tx: Tx,
  {
    id,
    requestId,
    from,
    nameSealed,
    bytes,
    sha256,
    at,
  }: Pick<Attachment, 'id' | 'requestId' | 'from' | 'nameSealed' | 'bytes' | 'sha256' | 'at'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO attachment (id, request_id, side, state, name_sealed, bytes, sha256, created_at)
     VALUES ($1, $2, $3, 'scanning', $4, $5, decode($6, 'hex'), $7)`,
    [id, requestId, from, nameSealed, bytes, sha256, at],
  )
}

export const attachmentsOf = (read: Tx, requestId: string): Promise<Attachment[]> =>
  read.query(`SELECT ${COLUMNS} FROM attachment WHERE request_id = $1 ORDER BY id`, [requestId])

export async function getAttachment(read: Tx, id: string): Promise<Attachment | undefined> {
  const [found] = await read.query<Attachment[]>(`SELECT ${COLUMNS} FROM attachment WHERE id = $1`, [id])
  return found
}

export async function countAttachments(read: Tx, requestId: string): Promise<number> {
  const [row] = await read.query<{ count: number }[]>('SELECT count(*)::int AS count FROM attachment WHERE request_id = $1', [
    requestId,
  ])
  return row?.count ?? 0
}

/** Notes what the scanner said. @returns false when it was said before, or the file is no more */
export async function settleScan(tx: Tx, id: string, { found, at }: { found: string | null; at: Date }): Promise<boolean> {
  const [, settled] = await tx.query<[unknown[], number]>(
    `UPDATE attachment SET state = CASE WHEN $2::text IS NULL THEN 'clean' ELSE 'refused' END, found = $2, scanned_at = $3,
       name_sealed = CASE WHEN $2::text IS NULL THEN name_sealed END
     WHERE id = $1 AND state = 'scanning'`,
    [id, found, at],
  )
  return settled === 1
}

/** Sends clean files of one side with its message. @returns those that went */
export async function sendWith(
  tx: Tx,
  { requestId, messageId, from, ids }: { requestId: string; messageId: string; from: Side; ids: readonly string[] },
): Promise<string[]> {
  const [sent] = await tx.query<[{ id: string }[], number]>(
    `UPDATE attachment SET message_id = $2 WHERE request_id = $1 AND side = $3 AND id = ANY($4) AND state = 'clean' AND message_id IS NULL
     RETURNING id`,
    [requestId, messageId, from, ids],
  )
  return sent.map(({ id }) => id)
}

/** Those that are there still, though their request was closed by `closedBy` or its data key is gone. */
export const outlivedAttachments = (read: Tx, closedBy: Date): Promise<{ requestId: string }[]> =>
  read.query(
    `SELECT DISTINCT r.id AS "requestId" FROM attachment a JOIN dsar_request r ON r.id = a.request_id
     WHERE a.state IN ('scanning', 'clean')
       AND (r.closed_at <= $1 OR NOT EXISTS (SELECT FROM request_key k WHERE k.request_id = r.id)) LIMIT 1000`,
    [closedBy],
  )

/** Forgets the names of all files of a request, and that there is anything to be had. @returns whose bytes are to go now */
export async function markDeleted(tx: Tx, requestId: string, at: Date): Promise<{ requestId: string; id: string }[]> {
  const [deleted] = await tx.query<[{ requestId: string; id: string }[], number]>(
    `UPDATE attachment SET state = 'deleted', name_sealed = NULL, deleted_at = $2
     WHERE request_id = $1 AND state IN ('scanning', 'clean') RETURNING request_id AS "requestId", id`,
    [requestId, at],
  )
  return deleted
}
