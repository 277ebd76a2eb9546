import { hash } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import type { Caller } from './caller.ts'
import type { Verifier } from './verify-token.ts'

const REMEMBERED_MS = 5000
const MOST = 1000

/**
 * Takes a service's token, once verified, on trust for up to five seconds: it comes with every one of thousands of calls, and
 * verifying it is a third of what a small call costs. That is less than clocks may differ, and far less than a withdrawn key goes
 * on working. What was refused, and whoever is a person, is looked at each time. Tokens are kept as hashes.
 */
export function rememberServices(verify: Verifier, clock: Clock): Verifier {
  const known = new Map<string, Caller>()
  let until = 0
  return async token => {
    const now = clock.now().getTime()
    if (now >= until || known.size >= MOST) {
      known.clear()
      until = now + REMEMBERED_MS
    }
    const key = hash('sha256', token, 'base64url')
    const remembered = known.get(key)
    if (remembered) return remembered
    const caller = await verify(token)
    if (caller.kind === 'service') known.set(key, caller)
    return caller
  }
}
