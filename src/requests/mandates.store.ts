import type { Mandate } from '../domain/mandate.ts'
import type { Tx } from '../platform/database.ts'
import type { IdentityDeps } from './identities.store.ts'

type Row = Omit<Mandate, 'reference'> & { referenceSealed: Buffer | null }

const COLUMNS = `id, request_id AS "requestId", evidence, document_sha256 AS "documentSha256", seen_on AS "seenOn",
  valid_until AS "validUntil", covers, voice, delivery, reference_sealed AS "referenceSealed", proposed_by AS "proposedBy",
  proposed_at AS "proposedAt", decision, reason, decided_by AS "decidedBy", decided_at AS "decidedAt",
  revoked_by AS "revokedBy", revoked_at AS "revokedAt"`

const context = (id: string) => `mandate|reference_sealed|${id}`

const opened = ({ vault }: Pick<IdentityDeps, 'vault'>, { referenceSealed, ...row }: Row): Mandate => ({
  ...row,
  reference: referenceSealed && vault.open(referenceSealed, context(row.id)).toString('utf8'),
})

export async function insertMandate({ vault }: IdentityDeps, tx: Tx, mandate: Mandate): Promise<void> {
  const { id, requestId, evidence, documentSha256, seenOn, validUntil, covers, voice, delivery, reference } = mandate
  await tx.query(
    `INSERT INTO mandate (id, request_id, evidence, document_sha256, seen_on, valid_until, covers, voice, delivery, reference_sealed,
       proposed_by, proposed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      ...[id, requestId, evidence, documentSha256, seenOn, validUntil, covers, voice, delivery],
      ...[reference && vault.seal(reference, context(id)), mandate.proposedBy, mandate.proposedAt],
    ],
  )
}

export async function saveRevocation(
  tx: Tx,
  { id, revokedBy, revokedAt }: Pick<Mandate, 'id' | 'revokedBy' | 'revokedAt'>,
): Promise<void> {
  await tx.query('UPDATE mandate SET revoked_by = $2, revoked_at = $3 WHERE id = $1', [id, revokedBy, revokedAt])
}

/** In the order in which they were proposed. */
export async function mandatesOf(deps: Pick<IdentityDeps, 'vault'>, tx: Tx, requestId: string): Promise<Mandate[]> {
  const rows = await tx.query<Row[]>(`SELECT ${COLUMNS} FROM mandate WHERE request_id = $1 ORDER BY id`, [requestId])
  return rows.map(row => opened(deps, row))
}

export async function saveMandateDecision(
  tx: Tx,
  { id, decision, reason, decidedBy, decidedAt }: Pick<Mandate, 'id' | 'decision' | 'reason' | 'decidedBy' | 'decidedAt'>,
): Promise<void> {
  await tx.query('UPDATE mandate SET decision = $2, reason = $3, decided_by = $4, decided_at = $5 WHERE id = $1', [
    id,
    decision,
    reason,
    decidedBy,
    decidedAt,
  ])
}
