import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { type Tx, write } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { supersedeLetters } from './outbox.ts'

/** A way to one package: 256 random bits that only the letter and its reader know; here it stands hashed. */
export interface Link {
  id: string
  requestId: string
  expiresAt: Date
  usesLeft: number
  revokedAt: Date | null
}

type Deps = { vault: Pick<Vault, 'blindIndex' | 'blindIndexes'> }

const COLUMNS = `id, request_id AS "requestId", expires_at AS "expiresAt", uses_left AS "usesLeft", revoked_at AS "revokedAt"`

/** Makes the one live link of a package; any before it stops working. */
export async function issueLink(
  { vault }: Deps,
  tx: Tx,
  requestId: string,
  { now, expiresAt, uses }: { now: Date; expiresAt: Date; uses: number },
): Promise<Link & { token: string }> {
  await revokeLinks(tx, requestId, now)
  const token = randomBytes(32).toString('base64url')
  const [link] = await tx.query<Link[]>(
    `INSERT INTO link (id, request_id, token_mac, created_at, expires_at, uses_left) VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
    [randomUUIDv7(), requestId, vault.blindIndex('link', token), now, expiresAt, uses],
  )
  return { ...(link as Link), token }
}

/** Ends every way to a package, and the letters that have not gone out yet and would still tell of one. */
export async function revokeLinks(tx: Tx, requestId: string, now: Date): Promise<void> {
  await supersedeLetters(tx, requestId, 'ready')
  await write(tx, 'UPDATE link SET revoked_at = $2 WHERE request_id = $1 AND revoked_at IS NULL', [requestId, now])
}

export async function liveLink(tx: Tx, requestId: string): Promise<Link | undefined> {
  const [link] = await tx.query<Link[]>(`SELECT ${COLUMNS} FROM link WHERE request_id = $1 AND revoked_at IS NULL`, [requestId])
  return link
}

export async function linkByToken({ vault }: Deps, tx: Tx, token: string): Promise<Link | undefined> {
  const [link] = await tx.query<Link[]>(`SELECT ${COLUMNS} FROM link WHERE token_mac = ANY($1)`, [
    vault.blindIndexes('link', token),
  ])
  return link
}

/** Takes one use off a link that still has some, and says how many are left. Exactly as many succeed as there were. */
export async function takeUse(tx: Tx, id: string): Promise<number | undefined> {
  const [[link]] = await tx.query<[Pick<Link, 'usesLeft'>[], number]>(
    'UPDATE link SET uses_left = uses_left - 1 WHERE id = $1 AND uses_left > 0 AND revoked_at IS NULL RETURNING uses_left AS "usesLeft"',
    [id],
  )
  return link?.usesLeft
}

/** A short-lived key to the content, handed out for a proof. */
export async function issueGrant({ vault }: Deps, tx: Tx, linkId: string, expiresAt: Date): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  await tx.query('INSERT INTO download_grant (id, link_id, token_mac, expires_at) VALUES ($1, $2, $3, $4)', [
    randomUUIDv7(),
    linkId,
    vault.blindIndex('grant', token),
    expiresAt,
  ])
  return token
}

/** The request whose package a grant opens right now: neither grant nor link may have ended or been revoked. */
export async function requestOfGrant({ vault }: Deps, tx: Tx, token: string, now: Date): Promise<string | undefined> {
  const [row] = await tx.query<{ requestId: string }[]>(
    `SELECT l.request_id AS "requestId" FROM download_grant g JOIN link l ON l.id = g.link_id
     WHERE g.token_mac = ANY($1) AND g.expires_at > $2 AND l.revoked_at IS NULL AND l.expires_at > $2`,
    [vault.blindIndexes('grant', token), now],
  )
  return row?.requestId
}
