import { parseEmailAddress } from '../domain/email-address.ts'
import { type Tx, write } from '../platform/database.ts'
import { together } from '../platform/together.ts'

/** How we came to believe that an identity is the data subject's; only `named` is mere hearsay. */
export type Provenance = 'named' | 'asserted' | 'token' | 'resolved'

export interface Identity {
  type: string
  value: string
}

export interface IdentityDeps {
  vault: {
    seal(plaintext: string, context: string): Buffer
    open(sealed: Buffer, context: string): Buffer
    blindIndex(kind: string, value: string): Buffer
    blindIndexes(kind: string, value: string): Buffer[]
  }
}

export interface ContactPoint {
  type: 'email'
  value: string
  /** Where it is on file. */
  source: string
  since?: Date
}

/**
 * One spelling for look-ups: mail addresses are compared without regard to case and to how their domain is written, by whomever
 * they were given; everything else to the letter.
 */
const canonical = ({ type, value }: Identity) => (type === 'email' ? (parseEmailAddress(value) ?? value).toLowerCase() : value)

export const identityIndex = ({ vault }: IdentityDeps, identity: Identity): Buffer =>
  vault.blindIndex(`identity:${identity.type}`, canonical(identity))

/** What to look an identity up by: one for each key in use, so that rows from before a rotation are found. */
export const identityIndexes = ({ vault }: IdentityDeps, identity: Identity): Buffer[] =>
  vault.blindIndexes(`identity:${identity.type}`, canonical(identity))

const context = (requestId: string, type: string) => `request_identity|value_sealed|${requestId}|${type}`
const contactContext = (requestId: string, n: number) => `contact_point|value_sealed|${requestId}|${n}`

/**
 * Keeps identities of a request's person, sealed. What those who know people say replaces what a service vouched for, and either
 * replaces hearsay, never the other way round; that one was
 * given with the request stays known, because who this is goes on being asked by those alone.
 */
export async function addIdentities(
  deps: IdentityDeps,
  tx: Tx,
  requestId: string,
  list: readonly Identity[],
  provenance: Provenance,
) {
  for (const identity of list) {
    const sealed = deps.vault.seal(identity.value, context(requestId, identity.type))
    await write(
      tx,
      `INSERT INTO request_identity (request_id, type, value_index, value_sealed, provenance, given) VALUES ($1, $2, $3, $4, $5, $5 <> 'resolved')
       ON CONFLICT (request_id, type, value_index) DO UPDATE SET provenance = EXCLUDED.provenance, value_sealed = EXCLUDED.value_sealed
       WHERE request_identity.provenance = 'named' OR (request_identity.provenance = 'asserted' AND EXCLUDED.provenance = 'resolved')`,
      [requestId, identity.type, identityIndex(deps, identity), sealed, provenance],
    )
  }
}

export type KnownIdentity = Identity & { provenance: Provenance; given: boolean }

export async function identitiesOf(deps: IdentityDeps, tx: Tx, requestId: string): Promise<KnownIdentity[]> {
  return opened(deps, await sealedOf(tx, [requestId]))
}

/** The same outside any transaction: whoever asks at the same time is answered by one query, and what cannot be opened is one request's alone. */
export function createIdentitiesOf(deps: IdentityDeps, read: Tx): (requestId: string) => Promise<KnownIdentity[]> {
  const rowsOf = together(
    async (requestIds: string[]) => {
      const rows = Map.groupBy(await sealedOf(read, [...new Set(requestIds)]), ({ requestId }) => requestId)
      return requestIds.map(id => rows.get(id) ?? [])
    },
    { atOnce: 2, most: 100 },
  )
  return async requestId => opened(deps, await rowsOf(requestId))
}

type SealedIdentity = Omit<KnownIdentity, 'value'> & { requestId: string; sealed: Buffer }

const sealedOf = (tx: Tx, requestIds: readonly string[]): Promise<SealedIdentity[]> =>
  tx.query(
    `SELECT request_id AS "requestId", type, value_sealed AS sealed, provenance, given FROM request_identity
     WHERE request_id = ANY ($1) ORDER BY type, value_index`,
    [requestIds],
  )

const opened = ({ vault }: IdentityDeps, rows: readonly SealedIdentity[]): KnownIdentity[] =>
  rows.map(({ requestId, type, sealed, ...how }) => ({
    type,
    value: vault.open(sealed, context(requestId, type)).toString('utf8'),
    ...how,
  }))

/** Makes a request be about the person of another, as far as that is established; what was hearsay there stays there. */
export async function copyIdentities(deps: IdentityDeps, tx: Tx, from: string, to: string): Promise<void> {
  for (const { type, value, provenance, given } of await identitiesOf(deps, tx, from)) {
    if (provenance === 'named') continue
    const identity = { type, value }
    await tx.query(
      `INSERT INTO request_identity (request_id, type, value_index, value_sealed, provenance, given) VALUES ($1, $2, $3, $4, $5, $6)`,
      [to, type, identityIndex(deps, identity), deps.vault.seal(value, context(to, type)), provenance, given],
    )
  }
}

/** Freezes the addresses that this request may be answered to: a later change elsewhere cannot redirect the answer. */
export async function freezeContactPoints({ vault }: IdentityDeps, tx: Tx, requestId: string, points: readonly ContactPoint[]) {
  const [{ next }] = (await tx.query('SELECT coalesce(max(n), 0) + 1 AS next FROM contact_point WHERE request_id = $1', [
    requestId,
  ])) as [{ next: number }]
  for (const [i, point] of points.entries()) {
    await write(
      tx,
      'INSERT INTO contact_point (request_id, n, type, value_sealed, source, since) VALUES ($1, $2, $3, $4, $5, $6)',
      [
        requestId,
        next + i,
        point.type,
        vault.seal(point.value, contactContext(requestId, next + i)),
        point.source,
        point.since ?? null,
      ],
    )
  }
}

/** An address is settled once it has been on file for a month: one that was changed for the purpose proves nothing. */
export type KnownContact = ContactPoint & { n: number; settled: boolean }

/**
 * The addresses that the request may be answered to, the one to use first. Who knows people names the main one first, and that
 * holds while it has been on file for a month: whoever took over an account changes the address and then asks for the data.
 */
export async function contactPointsOf({ vault }: IdentityDeps, tx: Tx, requestId: string): Promise<KnownContact[]> {
  const rows = await tx.query<(Omit<KnownContact, 'since' | 'value'> & { sealed: Buffer; since: Date | null })[]>(
    `SELECT c.n, c.type, c.value_sealed AS sealed, c.source, c.since, settled
     FROM contact_point c JOIN dsar_request r ON r.id = c.request_id
     CROSS JOIN LATERAL (SELECT coalesce(c.since <= r.received_at - interval '30 days', false) AS settled) AS age
     WHERE c.request_id = $1
     ORDER BY settled DESC, c.source = 'portal', CASE WHEN settled THEN c.n END, c.since, c.n`,
    [requestId],
  )
  return rows.map(({ n, type, sealed, source, settled, since }) => ({
    n,
    type,
    value: vault.open(sealed, contactContext(requestId, n)).toString('utf8'),
    source,
    settled,
    ...(since && { since }),
  }))
}
