import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { bearerOf } from './bearer.ts'
import { readToken } from './token.ts'

/**
 * Uses the caller's token up for what they ask for: whoever recorded the call cannot have it done again with the same token, nor
 * can another token that bears the same `jti`. The use stands or falls with the transaction, so what was refused is not used up.
 * A caller without a token has none to use up. @throws Problem `token_used`
 */
export async function useTokenOnce(tx: Pick<Tx, 'query'>, req: FastifyRequest): Promise<void> {
  const token = bearerOf(req)
  if (token === undefined) return
  const asked = `${req.method} ${req.routeOptions.url} ${JSON.stringify(req.params)}`
  const use = createHash('sha256')
    .update(`${nameOf(token)} ${asked.toLowerCase()}`)
    .digest()
  const used = await tx.query<unknown[]>(
    'INSERT INTO token_use (use_hash) VALUES ($1) ON CONFLICT DO NOTHING RETURNING used_at',
    [use],
  )
  if (used.length === 0) throw new Problem('token_used')
}

/** A token is what its issuer calls it (`jti`), or where it has no name, what was signed: of that there is one spelling only. */
function nameOf(token: string): string {
  const { iss, jti } = readToken(token).claims
  return JSON.stringify(typeof jti === 'string' && jti !== '' ? [iss, jti] : [token.slice(0, token.lastIndexOf('.'))])
}

/** Longer than any token is taken after its issue (`maxAge` of an issuer), and clocks may differ. */
const KEPT_HOURS = 25

/** Forgets what tokens were used for that nobody takes any more. */
export async function forgetTokenUses(db: Pick<Tx, 'query'>, now: Date): Promise<void> {
  await db.query('DELETE FROM token_use WHERE used_at < $1', [new Date(now.getTime() - KEPT_HOURS * 3_600_000)])
}
