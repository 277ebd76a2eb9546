import { randomUUIDv7 } from 'node:crypto'
import { type Tx, write } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { SpooledPart } from './spool.ts'
import type { Task } from './tasks.store.ts'

/** A finished piece of an answer as it waits to be packed. */
export interface Part extends Omit<SpooledPart, 'originalName' | 'inline'> {
  id: string
  requestId: string
  adapter: string
  originalName?: string
  inline: Buffer | null
}

type NameDeps = { vault: Pick<Vault, 'seal' | 'open'> }
const context = (id: string) => `part|original_name_sealed|${id}`

/** Keeps what a task brought. What an earlier attempt of it had brought is replaced. */
export async function saveParts({ vault }: NameDeps, tx: Tx, task: Task, parts: readonly SpooledPart[]): Promise<void> {
  await write(tx, 'DELETE FROM part WHERE task_id = $1', [task.id])
  const rows = parts.map(({ inline, originalName, blobKey, mediaType, ...part }) => {
    const id = randomUUIDv7()
    return {
      ...part,
      id,
      media_type: mediaType,
      blob_key: blobKey,
      original_name: originalName === undefined ? null : vault.seal(originalName, context(id)).toString('base64'),
      inline: inline?.toString('base64') ?? null,
    }
  })
  await write(
    tx,
    `INSERT INTO part (id, request_id, task_id, dataset, kind, number, media_type, original_name_sealed, bytes, sha256, incompressible, blob_key, inline_sealed)
     SELECT id, $1, $2, dataset, kind, number, media_type, decode(original_name, 'base64'), bytes, sha256, incompressible, blob_key, decode(inline, 'base64')
     FROM jsonb_to_recordset($3::jsonb) AS p(id uuid, dataset text, kind text, number int, media_type text, original_name text,
       bytes bigint, sha256 text, incompressible boolean, blob_key text, inline text)`,
    [task.requestId, task.id, JSON.stringify(rows)],
  )
}

/** Every piece there is for a request, in the order in which they are packed. */
export async function partsOf({ vault }: NameDeps, tx: Tx, requestId: string): Promise<Part[]> {
  const rows = await tx.query<(Omit<Part, 'originalName'> & { sealedName: Buffer | null })[]>(
    `SELECT p.id, p.request_id AS "requestId", t.adapter, p.dataset, p.kind, p.number, p.media_type AS "mediaType", p.bytes, p.sha256,
            p.incompressible, p.blob_key AS "blobKey", p.inline_sealed AS inline, p.original_name_sealed AS "sealedName"
     FROM part p JOIN task t ON t.id = p.task_id WHERE p.request_id = $1
     ORDER BY t.adapter, p.dataset, p.kind, p.number`,
    [requestId],
  )
  return rows.map(({ sealedName, ...row }) => ({
    ...row,
    ...(sealedName && { originalName: vault.open(sealedName, context(row.id)).toString('utf8') }),
  }))
}
