import ipaddr from 'ipaddr.js'

/** Where this service may call: the public internet over https, and nothing else but what the operator lists. */
export interface EgressPolicy {
  /** Exact `host:port` pairs, as the URL parser spells them, that may be private and may speak plain http. */
  readonly allowedHosts: ReadonlySet<string>
}

/** `why` is fit to be shown: it names the rule, never an address that was looked up. */
export type Verdict = { allowed: true } | { allowed: false; why: string }

const ALLOWED: Verdict = { allowed: true }
const refused = (why: string): Verdict => ({ allowed: false, why })

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }
const GLOBAL_UNICAST_V6 = ipaddr.parseCIDR('2000::/3')
/** RFC 6052: stands for the IPv4 address in its last four bytes; what a resolver answers where only IPv6 is spoken. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96')
/** Public by number, yet answered by the machine below us: Azure's WireServer. */
const HOST_AGENTS = new Set(['168.63.129.16'])

/** Reads the operator's list. @throws Error on an entry that is not `host:port`, so that a typing error stops the start. */
export function egressPolicy(entries: readonly string[]): EgressPolicy {
  const allowedHosts = entries.map(entry => {
    const port = /:(\d{1,5})$/.exec(entry)?.[1]
    const url = port && URL.parse(`http://${entry}`)
    if (!url || url.username || url.password || url.pathname !== '/' || url.search || url.hash) {
      throw new Error(`'${entry}' is not host:port`)
    }
    return `${url.hostname}:${Number(port)}`
  })
  return { allowedHosts: new Set(allowedHosts) }
}

/** Whether the operator's list names exactly this host and port. */
export function isListed(
  policy: EgressPolicy,
  { protocol, hostname, port }: Pick<URL, 'protocol' | 'hostname' | 'port'>,
): boolean {
  return policy.allowedHosts.has(`${hostname}:${port || DEFAULT_PORTS[protocol]}`)
}

/**
 * Judges what can be known of a URL without asking anybody. A name that passes is judged again, by the
 * addresses it resolves to, whenever a connection is opened: only then is it known where it leads.
 */
export function decideUrl(input: string, policy: EgressPolicy): Verdict {
  const url = URL.parse(input)
  if (!url) return refused('not an absolute URL')
  if (!(url.protocol in DEFAULT_PORTS)) return refused('only https is spoken')
  if (url.username || url.password) return refused('credentials do not belong in a URL')
  if (isListed(policy, url)) return ALLOWED
  if (url.protocol !== 'https:') return refused('only https is spoken')
  if (url.port) return refused('only port 443 may be called')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host)) return decideAddress(host)
  return /(^|\.)localhost\.?$/.test(host) ? refused('the name means this machine') : ALLOWED
}

/** Allows an IP address only if it is global unicast, and judges an embedded IPv4 address by itself. */
export function decideAddress(ip: string): Verdict {
  const spelled = spelledOut(ip)
  if (!spelled || !ipaddr.isValid(spelled)) return refused('not an IP address')
  const address = ipaddr.parse(spelled)
  if (address instanceof ipaddr.IPv6) {
    if (address.isIPv4MappedAddress()) return decideAddress(address.toIPv4Address().toString())
    if (address.match(NAT64)) return decideAddress(address.toByteArray().slice(-4).join('.'))
    if (!address.match(GLOBAL_UNICAST_V6)) return refused('not a public address')
  }
  const isPublic = address.range() === 'unicast' && !HOST_AGENTS.has(address.toString())
  return isPublic ? ALLOWED : refused('not a public address')
}

/** The library takes `::8.8.8.8` for the mapped `::ffff:8.8.8.8`, which is another address: so IPv6 is written in hexadecimal first. */
const spelledOut = (ip: string): string | undefined =>
  ip.includes(':') ? URL.parse(`http://[${ip}]`)?.hostname.slice(1, -1) : ip

/** Addresses of private networks, and names that no public name server knows: without a dot (as containers have them), or reserved (RFC 6761). */
export function isOutOfReach(host: string): boolean {
  const ip = host.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(ip)) return ['loopback', 'private', 'uniqueLocal', 'linkLocal'].includes(ipaddr.parse(ip).range())
  return /^[^.]+$|\.(localhost|test|internal)$/.test(host)
}
