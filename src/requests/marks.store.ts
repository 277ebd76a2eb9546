import type { Tx } from '../platform/database.ts'
import { type Identity, type IdentityDeps, identitiesOf, identityIndex, identityIndexes } from './identities.store.ts'

/** What is in force for a person: Art. 18, Art. 21, Art. 7(3), Art. 17; and that they said yes again, which takes no other mark away. */
export const MARK_KINDS = ['restricted', 'objected', 'consent_withdrawn', 'erased', 'consented'] as const
export type MarkKind = (typeof MARK_KINDS)[number]

export interface Mark {
  kind: MarkKind
  /** The purpose objected to, or what consent was withdrawn for: a purpose, or `cookie:` and the kind of cookie. Else empty. */
  of: string
  /** When it was said last. */
  since: Date
}

/**
 * Marks the person of a request under every identity of theirs that was established; hearsay marks nobody. To be called before
 * the identities are erased: the mark stays. Again for the same is the same, and what was lifted stays lifted.
 * @returns how many identities there were; with none, nobody can be recognised by it
 */
export async function markSubject(
  deps: IdentityDeps,
  tx: Tx,
  { requestId, kind, of = '', at }: { requestId: string; kind: MarkKind; of?: string; at: Date },
): Promise<number> {
  const established = (await identitiesOf(deps, tx, requestId)).filter(({ provenance }) => provenance !== 'named')
  await tx.query(
    `INSERT INTO subject_mark (value_index, kind, "of", request_id, since)
     SELECT value_index, $2::text, $3::text, $4::uuid, $5 FROM unnest($1::bytea[]) value_index
     WHERE NOT EXISTS (SELECT FROM subject_mark WHERE request_id = $4 AND kind = $2 AND "of" = $3 AND lifted_at IS NOT NULL)
     ON CONFLICT DO NOTHING`,
    [established.map(identity => identityIndex(deps, identity)), kind, of, requestId, at],
  )
  return established.length
}

/**
 * Notes that a person said yes again to what they had said no to before, on every identity that was marked with that: `of` as in a
 * mark. Who has said no to nothing of it needs no note, and gets none.
 * @returns what they had said no to
 */
export async function markConsent(
  deps: IdentityDeps,
  tx: Tx,
  { id, identities, of, at }: { id: string; identities: readonly Identity[]; of: readonly string[]; at: Date },
): Promise<string[]> {
  const marked = await tx.query<{ of: string }[]>(
    `INSERT INTO subject_mark (value_index, kind, "of", request_id, since)
     SELECT DISTINCT beside.value_index, 'consented', said, $3::uuid, $4::timestamptz
     FROM unnest($2::text[]) said
     JOIN subject_mark no ON no.value_index = ANY($1) AND no.lifted_at IS NULL AND no.since < $4
       AND (no.kind IN ('objected', 'consent_withdrawn') AND no."of" = said OR no.kind = 'erased' AND said = 'marketing')
     JOIN subject_mark beside USING (request_id)
     RETURNING "of"`,
    [identities.flatMap(identity => identityIndexes(deps, identity)), of, id, at],
  )
  return [...new Set(marked.map(one => one.of))].sort()
}

/** Ends what a request put in force: of one kind, for one purpose or, where none is named, for all. What others put stays. */
export async function liftMarks(
  tx: Tx,
  { requestId, kind, of, at }: { requestId: string; kind: MarkKind; of?: string; at: Date },
): Promise<void> {
  await tx.query(
    `UPDATE subject_mark SET lifted_at = $4
     WHERE request_id = $1 AND kind = $2 AND ($3::text IS NULL OR "of" = $3) AND lifted_at IS NULL`,
    [requestId, kind, of ?? null, at],
  )
}

/** Whether the person that a request has marked is restricted by another one as well. */
export async function isRestricted(read: Tx, requestId: string): Promise<boolean> {
  const found = await read.query<unknown[]>(
    `SELECT 1 FROM subject_mark mine JOIN subject_mark other USING (value_index)
     WHERE mine.request_id = $1 AND mine.kind = 'restricted' AND other.kind = 'restricted' AND other.request_id <> $1
     AND other.lifted_at IS NULL LIMIT 1`,
    [requestId],
  )
  return found.length > 0
}

/** The marks in force for each of the people, who are known by any of their identities. One statement, however many are asked for. */
export async function marksOf(deps: IdentityDeps, read: Tx, people: readonly (readonly Identity[])[]): Promise<Mark[][]> {
  const asked = people.flatMap((identities, person) =>
    identities.flatMap(identity => identityIndexes(deps, identity).map(index => ({ person, index }))),
  )
  const found = await read.query<(Mark & { person: number })[]>(
    `SELECT asked.person, m.kind, m."of", max(m.since) AS since FROM unnest($1::int[], $2::bytea[]) AS asked (person, value_index)
     JOIN subject_mark m USING (value_index) WHERE m.lifted_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    [asked.map(({ person }) => person), asked.map(({ index }) => index)],
  )
  const marks: Mark[][] = people.map(() => [])
  for (const { person, ...mark } of found) marks[person]?.push(mark)
  return marks
}
