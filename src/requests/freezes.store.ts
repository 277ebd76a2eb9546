import { type Tx, write } from '../platform/database.ts'
import { type Identity, type IdentityDeps, identityIndex, identityIndexes } from './identities.store.ts'

/** Freezes a person, under each of the identities given, because of the request that was repudiated. */
export async function insertFreeze(
  deps: IdentityDeps,
  tx: Tx,
  { requestId, level, since, until }: { requestId: string; level: number; since: Date; until: Date },
  identities: readonly Identity[],
): Promise<void> {
  await write(
    tx,
    `INSERT INTO person_freeze (value_index, request_id, level, since, until)
     SELECT value_index, $2, $3, $4, $5 FROM unnest($1::bytea[]) value_index ON CONFLICT DO NOTHING`,
    [identities.map(identity => identityIndex(deps, identity)), requestId, level, since, until],
  )
}

/** How well a person with any of these identities has to be known while they are frozen. Undefined when they are not. */
export async function levelFrozen(
  deps: IdentityDeps,
  tx: Tx,
  identities: readonly Identity[],
  now: Date,
): Promise<number | undefined> {
  const [row] = await tx.query<{ level: number | null }[]>(
    'SELECT max(level) AS level FROM person_freeze WHERE value_index = ANY($1) AND until > $2',
    [identities.flatMap(identity => identityIndexes(deps, identity)), now],
  )
  return row?.level ?? undefined
}

/** The open requests that are about a person with any of these identities, as far as that is established. */
export async function openRequestsOf(deps: IdentityDeps, tx: Tx, identities: readonly Identity[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }[]>(
    `SELECT id FROM dsar_request WHERE closed_at IS NULL AND id = ANY(ARRAY(
       SELECT request_id FROM request_identity WHERE value_index = ANY($1) AND provenance <> 'named')) ORDER BY id`,
    [identities.flatMap(identity => identityIndexes(deps, identity))],
  )
  return rows.map(({ id }) => id)
}

/** Open requests that wait for a freeze to end, or for stronger proof. */
export async function frozenRequests(read: Tx): Promise<string[]> {
  const rows = await read.query<{ id: string }[]>(
    'SELECT id FROM dsar_request WHERE assurance_unfrozen IS NOT NULL AND closed_at IS NULL LIMIT 1000',
  )
  return rows.map(({ id }) => id)
}

/** Requests that still need eyes because they were repudiated, which was before some moment. */
export async function repudiatedBefore(read: Tx, moment: Date): Promise<string[]> {
  const rows = await read.query<{ id: string }[]>(
    `SELECT r.id FROM dsar_request r JOIN audit_entry e ON e.stream = 'request:' || r.id AND e.event = 'repudiated'
     WHERE r.flags @> '{repudiated}' AND e.at <= $1 LIMIT 1000`,
    [moment],
  )
  return rows.map(({ id }) => id)
}

export async function forgetFreezes(read: Tx, now: Date): Promise<void> {
  await write(read, 'DELETE FROM person_freeze WHERE until <= $1', [now])
}
