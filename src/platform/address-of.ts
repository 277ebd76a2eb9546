import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { promisify } from 'node:util'
import { decideUrl, egressPolicy, isListed } from './egress-policy.ts'
import { checkedLookup, OutboundError, type OutboundOptions } from './outbound.ts'

/** Where to connect to, and whether the operator's list names it. */
export interface Reached {
  address: string
  listed: boolean
}

export type AddressOf = (host: string, port: number, usualPort: number) => Promise<Reached>

/**
 * Judges where those may connect to who speak something else than HTTP, such as to a database. The address is the one that was
 * judged, so a name that is re-pointed later leads nowhere else. What the operator's list does not name has to be public, and at the
 * port that is usual for it. `host` is as the URL parser spells it. @throws OutboundError `egress_denied`, `connection`
 */
export function createAddressOf({
  allowedHosts,
  lookup = systemLookup,
}: Pick<OutboundOptions, 'allowedHosts' | 'lookup'>): AddressOf {
  const policy = egressPolicy(allowedHosts)
  const anywhere: LookupFunction = (host, options, found) => lookup(host, options, found)
  const publicOnly = checkedLookup(lookup)
  return async (host, port, usualPort) => {
    const listed = isListed(policy, new URL(`http://${host}:${port}`))
    const verdict = decideUrl(`https://${host}`, policy)
    if (!listed && !verdict.allowed) throw new OutboundError('egress_denied', verdict.why)
    if (!listed && port !== usualPort) throw new OutboundError('egress_denied', `only port ${usualPort} may be called`)
    const literal = host.replace(/^\[|\]$/g, '')
    if (isIP(literal)) return { address: literal, listed }
    const found = await promisify(listed ? anywhere : publicOnly)(host, {}).catch((error: Error) => {
      throw error instanceof OutboundError ? error : new OutboundError('connection', 'the name cannot be resolved')
    })
    return { address: String(found), listed }
  }
}
