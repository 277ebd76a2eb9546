import type { Transact, Tx } from './database.ts'
import type { Vault } from './vault.ts'

/** What was answered to a call, in full, so that it can be answered again. */
export interface StoredAnswer {
  status: number
  headers: Record<string, string>
  body: unknown
}

/** One call that must have its effect once: who calls what (`scope`), the caller's key, and the SHA-256 (hex) of what was asked. */
export interface KeyedCall {
  scope: string
  key: string
  bodyHash: string
}

/** The same key is at work elsewhere right now, or was used to ask for something else. */
export class KeyConflict extends Error {
  readonly reason: 'in_progress' | 'key_reused'

  constructor(reason: 'in_progress' | 'key_reused') {
    super(reason)
    this.name = 'KeyConflict'
    this.reason = reason
  }
}

export interface Deps {
  transact: Transact
  vault: Pick<Vault, 'sealJson' | 'openJson'>
}

/**
 * Does `work` once per key, however often and wherever it is called. The work and the answer commit in one
 * transaction: a crash leaves neither, and whoever comes again after the commit gets the first answer (`replayed`).
 * Two at the same time cannot both work: the second is turned away, not held. Work that throws leaves no trace.
 * @throws KeyConflict
 */
export function once(
  { transact, vault }: Deps,
  call: KeyedCall,
  work: (tx: Tx) => Promise<StoredAnswer>,
): Promise<StoredAnswer & { replayed: boolean }> {
  return transact(async tx => {
    await lock(tx, call)
    const before = await find(vault, tx, call)
    if (before) return { ...before, replayed: true }
    const answer = await work(tx)
    await keep(tx, call, vault.sealJson(answer, contextOf(call)))
    return { ...answer, replayed: false }
  })
}

/** What a call was answered before, if it was. @throws KeyConflict when its key was used to ask for something else */
export const answered = ({ transact, vault }: Deps, call: KeyedCall): Promise<StoredAnswer | undefined> =>
  transact(tx => find(vault, tx, call))

const contextOf = ({ scope, key }: KeyedCall): string => `idempotency_key|answer|${scope}|${key}`

/** Held until the transaction ends, so who gets it sees whatever the one before committed. */
async function lock(tx: Tx, { scope, key }: KeyedCall): Promise<void> {
  const [row] = await tx.query<{ held: boolean }[]>('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS held', [
    `idempotency|${scope}|${key}`,
  ])
  if (!row?.held) throw new KeyConflict('in_progress')
}

async function find(vault: Deps['vault'], tx: Tx, call: KeyedCall): Promise<StoredAnswer | undefined> {
  const [row] = await tx.query<{ body_hash: string; answer: Buffer }[]>(
    `SELECT encode(body_hash, 'hex') AS body_hash, answer FROM idempotency_key WHERE scope = $1 AND key = $2`,
    [call.scope, call.key],
  )
  if (row && row.body_hash !== call.bodyHash) throw new KeyConflict('key_reused')
  return row && (vault.openJson(row.answer, contextOf(call)) as StoredAnswer)
}

async function keep(tx: Tx, { scope, key, bodyHash }: KeyedCall, answer: Buffer): Promise<void> {
  await tx.query(`INSERT INTO idempotency_key (scope, key, body_hash, answer) VALUES ($1, $2, decode($3, 'hex'), $4)`, [
    scope,
    key,
    bodyHash,
    answer,
  ])
}

/** Forgets the keys of calls that were made before a moment; a call with one of them is a new call. */
export async function forgetKeys(db: Pick<Tx, 'query'>, before: Date): Promise<void> {
  await db.query('DELETE FROM idempotency_key WHERE created_at < $1', [before])
}
