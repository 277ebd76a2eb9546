import type { Decision } from '../domain/decision.ts'
import type { Evidence } from '../domain/excess.ts'
import type { Parts, RefusalGround, Remedies } from '../domain/refusal.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'

export type DecisionState = 'proposed' | 'effective' | 'superseded'

/** A decision as it was taken. Who took it answers for it and is named by an identifier. */
export interface StoredDecision {
  id: string
  requestId: string
  kind: Decision['kind']
  state: DecisionState
  ground: RefusalGround | null
  citation: string | null
  parts: Parts | null
  fee: { amount: `${number}`; currency: string } | null
  remedies: Remedies | null
  reasons: string | null
  evidence: Evidence | null
  policyVersion: string
  decidedBy: string
  decidedAt: Date
  approvedBy: string | null
  approvedAt: Date | null
}

type Sealed = Omit<StoredDecision, 'reasons' | 'evidence'> & { reasons: Buffer | null; evidence: Buffer | null }
type StoreDeps = { vault: Pick<Vault, 'seal' | 'open'> }

const context = (column: 'reasons' | 'evidence', id: string) => `decision|${column}_sealed|${id}`

/** Keeps a decision; what it says of the person is sealed. The table refuses what lacks what the law demands. */
export async function insertDecision({ vault }: StoreDeps, tx: Tx, decision: StoredDecision): Promise<void> {
  const { id, requestId, kind, state, ground, citation, parts, fee, remedies, reasons, evidence } = decision
  const json = (value: object | null) => value && JSON.stringify(value)
  await tx.query(
    `INSERT INTO decision (id, request_id, kind, state, ground, citation, parts, fee, remedies, reasons_sealed, evidence_sealed,
       policy_version, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      ...[id, requestId, kind, state, ground, citation, json(parts), json(fee), json(remedies)],
      reasons && vault.seal(reasons, context('reasons', id)),
      evidence && vault.seal(JSON.stringify(evidence), context('evidence', id)),
      ...[decision.policyVersion, decision.decidedBy, decision.decidedAt],
    ],
  )
}

const SELECT = `SELECT id, request_id AS "requestId", kind, state, ground, citation, parts, fee, remedies,
  reasons_sealed AS reasons, evidence_sealed AS evidence, policy_version AS "policyVersion",
  decided_by AS "decidedBy", decided_at AS "decidedAt", approved_by AS "approvedBy", approved_at AS "approvedAt" FROM decision`

/** All decisions on a request, in their order. */
export async function decisionsOf(deps: StoreDeps, read: Tx, requestId: string): Promise<StoredDecision[]> {
  const rows = await read.query<Sealed[]>(`${SELECT} WHERE request_id = $1 ORDER BY decided_at, id`, [requestId])
  return rows.map(row => opened(deps, row))
}

export async function findDecision(deps: StoreDeps, tx: Tx, requestId: string, id: string): Promise<StoredDecision | undefined> {
  const [row] = await tx.query<Sealed[]>(`${SELECT} WHERE request_id = $1 AND id = $2`, [requestId, id])
  return row && opened(deps, row)
}

function opened({ vault }: StoreDeps, { reasons, evidence, ...rest }: Sealed): StoredDecision {
  return {
    ...rest,
    reasons: reasons && vault.open(reasons, context('reasons', rest.id)).toString('utf8'),
    evidence: evidence && JSON.parse(vault.open(evidence, context('evidence', rest.id)).toString('utf8')),
  }
}

/** What was refused of a request while the rest is carried out, and on which grounds. */
export async function refusedPartsOf(tx: Tx, requestId: string): Promise<{ ground: RefusalGround; parts: Parts }[]> {
  return tx.query(
    `SELECT ground, parts FROM decision WHERE request_id = $1 AND kind = 'refuse_partly' AND state = 'effective' ORDER BY decided_at`,
    [requestId],
  )
}

/** Takes back what was proposed and waits for a second person. @returns its id */
export async function supersedeProposal(tx: Tx, requestId: string): Promise<string | undefined> {
  const [[superseded]] = await tx.query<[{ id: string }[], number]>(
    `UPDATE decision SET state = 'superseded' WHERE request_id = $1 AND state = 'proposed' RETURNING id`,
    [requestId],
  )
  return superseded?.id
}

/** A second person makes a proposal effective. */
export async function makeEffective(tx: Tx, id: string, by: { id: string; at: Date }): Promise<void> {
  await tx.query(`UPDATE decision SET state = 'effective', approved_by = $2, approved_at = $3 WHERE id = $1`, [id, by.id, by.at])
}

/** Forgets in whose words it was decided. That it was, on which ground and by whom stays. */
export async function forgetReasons({ vault }: StoreDeps, tx: Tx, requestId: string): Promise<void> {
  const decisions = await tx.query<{ id: string }[]>('SELECT id FROM decision WHERE request_id = $1', [requestId])
  for (const { id } of decisions)
    await tx.query(
      `UPDATE decision SET reasons_sealed = CASE WHEN reasons_sealed IS NOT NULL THEN $2::bytea END,
         evidence_sealed = CASE WHEN evidence_sealed IS NOT NULL THEN $3::bytea END WHERE id = $1`,
      [id, vault.seal('', context('reasons', id)), vault.seal('null', context('evidence', id))],
    )
}
