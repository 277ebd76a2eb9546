import { randomBytes, randomUUIDv7 } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import { type Tx, write } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { newCode } from './code.ts'

/** A way to say *this was not me*, in one letter: 256 random bits in its link, and a code to be typed. Here both stand hashed. */
export interface RepudiationLink {
  id: string
  requestId: string
  /** Number of the contact point that the letter went to. */
  contact: number
  codeMac: Buffer
  tries: number
}

export interface IssueDeps {
  vault: Pick<Vault, 'blindIndex' | 'mac'>
  clock: Clock
}

export const REPUDIATION_TRIES = 5
/** So long after its end a request can still be repudiated: as long as somebody may find the letter, and a package be fetched. */
const DAYS_AFTER_END = 30

const COLUMNS = 'l.id, l.request_id AS "requestId", l.contact, l.code_mac AS "codeMac", l.tries'

/** Makes the link of a letter and the code printed beside it. Undefined when the letter has its own already. */
export async function issueRepudiationLink(
  { vault, clock }: IssueDeps,
  tx: Tx,
  { requestId, contact, letter }: { requestId: string; contact: number; letter: string },
): Promise<{ token: string; code: string } | undefined> {
  const [id, token, code] = [randomUUIDv7(), randomBytes(32).toString('base64url'), newCode().replace('-', '')]
  const [issued] = await tx.query<{ id: string }[]>(
    `INSERT INTO repudiation_link (id, request_id, contact, letter, token_mac, code_mac, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (letter) DO NOTHING RETURNING id`,
    [
      id,
      requestId,
      contact,
      letter,
      vault.blindIndex('repudiation', token),
      vault.mac('repudiation', `${id}|${code}`),
      clock.now(),
    ],
  )
  // In two halves, unlike the codes that prove or open something: whoever types one for the other does nothing.
  return issued && { token, code: `${code.slice(0, 4)} ${code.slice(4)}` }
}

/** The link of a token. `inForce` until some time after the request has ended, and while its code was not guessed at too often. */
export async function repudiationLinkOf(
  { vault, clock }: { vault: Pick<Vault, 'blindIndexes'>; clock: Clock },
  read: Tx,
  token: string,
): Promise<(RepudiationLink & { inForce: boolean }) | undefined> {
  const [link] = await read.query<(RepudiationLink & { inForce: boolean })[]>(
    `SELECT ${COLUMNS}, l.tries < $2 AND coalesce(r.closed_at > $3::timestamptz - make_interval(days => $4), true) AS "inForce"
     FROM repudiation_link l JOIN dsar_request r ON r.id = l.request_id WHERE l.token_mac = ANY($1)`,
    [vault.blindIndexes('repudiation', token), REPUDIATION_TRIES, clock.now(), DAYS_AFTER_END],
  )
  return link
}

/** Counts a try at the code before anybody compares it, so that parallel guesses cannot share one. @returns which one it was */
export async function countRepudiationTry(tx: Tx, id: string): Promise<number> {
  const [[link]] = await tx.query<[{ tries: number }[], number]>(
    'UPDATE repudiation_link SET tries = tries + 1 WHERE id = $1 RETURNING tries',
    [id],
  )
  return link?.tries ?? Number.POSITIVE_INFINITY
}

/** Forgets the links by which nothing can be said any more. */
export async function forgetRepudiationLinks(read: Tx, now: Date): Promise<void> {
  await write(
    read,
    `DELETE FROM repudiation_link l USING dsar_request r
     WHERE r.id = l.request_id AND r.closed_at <= $1::timestamptz - make_interval(days => $2)`,
    [now, DAYS_AFTER_END],
  )
}
