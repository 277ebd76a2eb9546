import { domainToASCII, domainToUnicode } from 'node:url'

/** Dot-atom of RFC 5322 without `%` `!` `/` `|` and the back quote, which some servers still read as a route or a command. */
const LOCAL_PART = /^[a-z0-9#$&'*+=?^_{}~-]+(\.[a-z0-9#$&'*+=?^_{}~-]+)*$/i
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])$/

/**
 * Reads one e-mail address a letter may go to, far stricter than RFC 5322: what two mail systems could read in two
 * ways (quotes, comments, lists, folded lines, IP literals, invisible characters) is no address here.
 * @returns the address with its domain as lower-case A-labels (RFC 5890), or undefined. The part before the @ stays as
 *   it was written, for only its own server knows whether case matters there; it must be ASCII.
 */
export function parseEmailAddress(input: string): string | undefined {
  const [local, domain, ...rest] = input.split('@')
  if (!local || !domain || rest.length > 0 || local.length > 64 || !LOCAL_PART.test(local)) return undefined
  const ascii = asciiDomain(domain)
  const address = `${local}@${ascii}`
  return ascii && address.length <= 254 ? address : undefined
}

/** The A-label form, only if it stands for exactly what was written: UTS 46 would drop soft hyphens and turn `１` into `1`. */
function asciiDomain(domain: string): string | undefined {
  const written = domain.toLowerCase()
  const ascii = domainToASCII(written)
  const shown = domainToUnicode(ascii) // an A-label that decodes to nothing is shown as it is
  const exact = domain === domain.normalize('NFKC') && (ascii === written || shown === written)
  return exact && !shown.includes('xn--') && DOMAIN.test(ascii) ? ascii : undefined
}

/** Whether two spellings are of one mailbox, as look-ups take them. */
export const sameAddress = (one: string, other: string): boolean =>
  (parseEmailAddress(one) ?? one).toLowerCase() === (parseEmailAddress(other) ?? other).toLowerCase()
