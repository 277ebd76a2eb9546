import { X509Certificate } from 'node:crypto'

/** Of a chain; longer ones are not built. */
const MOST_LINKS = 8
const LEAST_BITS = 2048

/** The certificates of a PEM file, the processor's own first. Empty for a file that holds something else. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  try {
    return blocks.slice(0, MOST_LINKS).map(block => new X509Certificate(block))
  } catch {
    return []
  }
}

/** What speaks against the certificate of a domain at a moment, in words fit to be shown; undefined where nothing does. */
export function objectionTo(certificate: X509Certificate, domain: string, now: Date): string | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_BITS)
    return `The certificate has no RSA key of ${LEAST_BITS} bits.`
  if (!certificate.checkHost(domain, { subject: 'never', partialWildcards: false }))
    return `The certificate is not for '${domain}'.`
  return isInForce(certificate, now) ? undefined : 'The certificate is not valid yet, or no longer.'
}

/**
 * Whether a certificate leads to an authority, through those that came with it. One that only vouches for itself does not
 * (OpenDSR, security guidelines): whoever can answer for the address once could make it.
 */
export function leadsToAuthority(chain: readonly X509Certificate[], authorities: readonly X509Certificate[], now: Date): boolean {
  let [current] = chain
  for (let links = 0; current && links < MOST_LINKS; links += 1) {
    const child = current
    const isParent = (one: X509Certificate) => hasIssued(one, child) && isInForce(one, now)
    if (authorities.some(isParent)) return true
    current = chain.find(one => one !== child && isParent(one))
  }
  return false
}

const isInForce = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now <= validToDate

const hasIssued = (parent: X509Certificate, child: X509Certificate): boolean =>
  parent.ca && child.checkIssued(parent) && child.verify(parent.publicKey)
