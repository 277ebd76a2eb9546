import type { HoldReason, ReleaseReason } from '../domain/hold.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { type Identity, type IdentityDeps, identityIndexes } from '../requests/identities.store.ts'

export interface Hold {
  id: string
  reason: HoldReason
  /** Of the file in which the reason can be read. */
  reference: string
  note: string | null
  /** Of whom it is kept as hashes alone. */
  identityTypes: string[]
  proposedBy: string
  proposedAt: Date
  approvedBy: string | null
  approvedAt: Date | null
  releaseReason: ReleaseReason | null
  releaseProposedBy: string | null
  releaseProposedAt: Date | null
  releasedBy: string | null
  releasedAt: Date | null
}

type Row = Omit<Hold, 'reference' | 'note'> & { referenceSealed: Buffer; noteSealed: Buffer | null }

const COLUMNS = `h.id, h.reason, h.reference_sealed AS "referenceSealed", h.note_sealed AS "noteSealed",
  ARRAY(SELECT DISTINCT i.type FROM legal_hold_identity i WHERE i.hold_id = h.id ORDER BY i.type) AS "identityTypes",
  h.proposed_by AS "proposedBy", h.proposed_at AS "proposedAt", h.approved_by AS "approvedBy", h.approved_at AS "approvedAt",
  h.release_reason AS "releaseReason", h.release_proposed_by AS "releaseProposedBy", h.release_proposed_at AS "releaseProposedAt",
  h.released_by AS "releasedBy", h.released_at AS "releasedAt"`

const context = (column: string, id: string) => `legal_hold|${column}|${id}`

const opened = ({ vault }: IdentityDeps, { referenceSealed, noteSealed, ...row }: Row): Hold => ({
  ...row,
  reference: vault.open(referenceSealed, context('reference_sealed', row.id)).toString(),
  note: noteSealed && vault.open(noteSealed, context('note_sealed', row.id)).toString(),
})

/** Keeps a proposal. Its identities are kept under every key in use: the rows to be held may have been written with any of them. */
export async function insertHold(
  deps: IdentityDeps,
  tx: Tx,
  hold: Pick<Hold, 'id' | 'reason' | 'reference' | 'note' | 'proposedBy' | 'proposedAt'> & { until: Date },
  identities: readonly Identity[],
): Promise<void> {
  const { id, note } = hold
  await tx.query(
    `INSERT INTO legal_hold (id, reason, reference_sealed, note_sealed, proposed_by, proposed_at, holds_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      id,
      hold.reason,
      deps.vault.seal(hold.reference, context('reference_sealed', id)),
      note === null ? null : deps.vault.seal(note, context('note_sealed', id)),
      hold.proposedBy,
      hold.proposedAt,
      hold.until,
    ],
  )
  const rows = identities.flatMap(one => identityIndexes(deps, one).map(index => ({ type: one.type, index })))
  await tx.query(
    `INSERT INTO legal_hold_identity (hold_id, type, value_index)
     SELECT $1, type, value_index FROM unnest($2::text[], $3::bytea[]) AS one (type, value_index) ON CONFLICT DO NOTHING`,
    [id, rows.map(({ type }) => type), rows.map(({ index }) => index)],
  )
}

/** What somebody proposed for any of these identities and nobody approved. */
export async function unapprovedBy(
  deps: IdentityDeps,
  tx: Tx,
  proposer: string,
  identities: readonly Identity[],
): Promise<string | undefined> {
  const [hold] = await tx.query<{ id: string }[]>(
    `SELECT h.id FROM legal_hold h JOIN legal_hold_identity i ON i.hold_id = h.id
     WHERE i.value_index = ANY($1) AND h.proposed_by = $2 AND h.approved_at IS NULL LIMIT 1`,
    [identities.flatMap(identity => identityIndexes(deps, identity)), proposer],
  )
  return hold?.id
}

/** @throws Problem `not_found` */
export async function getHold(deps: IdentityDeps, tx: Tx, id: string, { lock = false } = {}): Promise<Hold> {
  const [row] = await tx.query<Row[]>(`SELECT ${COLUMNS} FROM legal_hold h WHERE h.id = $1 ${lock ? 'FOR UPDATE' : ''}`, [id])
  if (!row) throw new Problem('not_found')
  return opened(deps, row)
}

export async function saveApproval(tx: Tx, id: string, by: string, at: Date): Promise<void> {
  await tx.query(`UPDATE legal_hold SET approved_by = $2, approved_at = $3, holds_until = 'infinity' WHERE id = $1`, [id, by, at])
}

export async function saveReleaseProposal(tx: Tx, id: string, reason: ReleaseReason, by: string, at: Date): Promise<void> {
  await tx.query('UPDATE legal_hold SET release_reason = $2, release_proposed_by = $3, release_proposed_at = $4 WHERE id = $1', [
    id,
    reason,
    by,
    at,
  ])
}

export async function saveRelease(tx: Tx, id: string, by: string, at: Date): Promise<void> {
  await tx.query('UPDATE legal_hold SET released_by = $2, released_at = $3, holds_until = $3 WHERE id = $1', [id, by, at])
}

/** A page of holds, the newest first. */
export async function findHolds(
  deps: IdentityDeps,
  read: Tx,
  { identity, ids, holding }: { identity?: Identity; ids?: readonly string[]; holding?: boolean },
  now: Date,
  page: { before?: string; limit: number },
): Promise<{ holds: Hold[]; next?: { id: string } }> {
  const rows = await read.query<Row[]>(
    `SELECT ${COLUMNS} FROM legal_hold h
     WHERE ($1::bytea[] IS NULL OR EXISTS (SELECT FROM legal_hold_identity i WHERE i.hold_id = h.id AND i.value_index = ANY($1)))
       AND ($2::uuid[] IS NULL OR h.id = ANY($2)) AND ($3::boolean IS NULL OR (h.holds_until > $4) = $3)
       AND ($5::uuid IS NULL OR h.id < $5)
     ORDER BY h.id DESC LIMIT ${page.limit + 1}`,
    [identity ? identityIndexes(deps, identity) : null, ids ?? null, holding ?? null, now, page.before ?? null],
  )
  const holds = rows.slice(0, page.limit).map(row => opened(deps, row))
  const last = rows.length > page.limit ? holds.at(-1) : undefined
  return { holds, ...(last && { next: { id: last.id } }) }
}
