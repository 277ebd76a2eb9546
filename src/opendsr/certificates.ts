import { X509Certificate } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import { AdapterFault } from '../adapters/fault.ts'
import { readWhole } from '../adapters/read-json.ts'
import { faultOf } from '../adapters/trouble.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import { certificateAddress, discover } from './discovery.ts'
import { certificatesIn, leadsToAuthority, objectionTo } from './judge-certificate.ts'
import { isOwn, type Processor } from './processor.ts'

export interface CertificateDeps {
  clock: Clock
  /** Whose certificates are believed: those of the runtime, and of the file that NODE_EXTRA_CA_CERTS names. */
  authorities?: readonly X509Certificate[]
}

export interface Certificates {
  /**
   * The certificate with which a processor signs: the pinned one, else the one that its discovery names, which is kept for a day.
   * @param how `doubted`: it did not fit, so look whether there is a newer one, unless that was done just now
   * @throws AdapterFault `refused` for one that cannot be believed; and whatever keeps it from being fetched
   */
  of(processor: Processor, how: { doubted: boolean }): Promise<X509Certificate>
}

const BYTES = 64 * 1024
const KEPT_MS = 24 * 60 * 60 * 1000
/** Whoever sends bad call backs makes us ask no more often than this. */
const PAUSE_MS = 5 * 60 * 1000

interface Kept {
  at: number
  /** A failure is kept as well, for the length of the pause. */
  chain: Promise<X509Certificate[]>
  failed: boolean
}

export function keepCertificates({ clock, authorities }: CertificateDeps): Certificates {
  const kept = new Map<string, Kept>()
  let known: readonly X509Certificate[] | undefined = authorities
  const trusted = () => {
    known ??= getCACertificates('default').map(pem => new X509Certificate(pem))
    return known
  }

  function fetched(processor: Processor, doubted: boolean): Promise<X509Certificate[]> {
    const now = realTime(clock).getTime()
    const before = kept.get(processor.baseUrl)
    if (before && now - before.at < (doubted || before.failed ? PAUSE_MS : KEPT_MS)) return before.chain
    const entry: Kept = { at: now, chain: fetchChain(processor), failed: false }
    entry.chain.catch(() => {
      entry.failed = true
    })
    kept.set(processor.baseUrl, entry)
    return entry.chain
  }

  return {
    async of(processor, { doubted }) {
      const now = realTime(clock)
      const { certificate: pinned, processorDomain } = processor.profile
      const chain = pinned ? certificatesIn(pinned) : await fetched(processor, doubted)
      const [certificate] = chain
      if (!certificate) throw new AdapterFault('refused', 'What should be a certificate is none')
      const objection = objectionTo(certificate, processorDomain, now)
      if (objection) throw new AdapterFault('refused', objection)
      if (!pinned && !leadsToAuthority(chain, trusted(), now))
        throw new AdapterFault(
          'refused',
          'The certificate does not lead to an authority that is known here: pin it, or send its chain',
        )
      return certificate
    },
  }
}

async function fetchChain(processor: Processor): Promise<X509Certificate[]> {
  const url = certificateAddress(processor, await discover(processor))
  const answer = await processor.ask(url, { bytes: BYTES, isOpen: !isOwn(processor.baseUrl, url) })
  if (answer.status === 200) return certificatesIn((await readWhole(answer.body, { jsonBytes: BYTES })).toString('latin1'))
  answer.discard()
  throw faultOf(answer.status)
}
