import { AdapterFault } from '../adapters/fault.ts'
import type { Contact } from '../adapters/fetch-manifest.ts'
import type { Connector } from '../adapters/kinds.ts'
import type { Manifest } from '../adapters/protocol.ts'
import { Problem } from '../domain/problem.ts'
import { OutboundError } from '../platform/outbound.ts'
import { askProcessor } from './ask-processor.ts'
import { cancelRequests } from './cancel-requests.ts'
import { type CertificateDeps, type Certificates, keepCertificates } from './certificates.ts'
import { discover, manifestFrom } from './discovery.ts'
import { hear } from './hear.ts'
import { addressOf, openProcessor, type ProcessorDeps } from './processor.ts'

type OpenDsrDeps = ProcessorDeps & CertificateDeps

const LIMITS = { headersMs: 10_000, idleMs: 10_000, totalMs: 20_000 }

/** Processors that speak OpenDSR, each in the dialect that its `settings` name. We are the controller. */
export function opendsrConnector(deps: OpenDsrDeps): Connector {
  const certificates = keepCertificates(deps)
  return {
    manifest: contact => askForManifest(deps, certificates, contact),
    ask: call => askProcessor(deps, call),
    cancel: call => cancelRequests(deps, call),
    hear: (contact, callBack) => hear(certificates, openProcessor(deps, contact, { limits: LIMITS }), callBack),
  }
}

/** @throws Problem `address_refused`, `manifest_refused` */
async function askForManifest(deps: OpenDsrDeps, certificates: Certificates, contact: Contact): Promise<Manifest> {
  const processor = openProcessor(deps, contact, { limits: LIMITS })
  const { profile, baseUrl } = processor
  const verdict = await deps.outbound.examine(addressOf(baseUrl, profile.discoveryPath))
  if (!verdict.allowed) throw new Problem('address_refused', `${verdict.why[0]?.toUpperCase()}${verdict.why.slice(1)}.`)
  try {
    const manifest = manifestFrom(processor, await discover(processor))
    if (profile.callback) await certificates.of(processor, { doubted: true })
    return manifest
  } catch (error) {
    if (error instanceof OutboundError && error.reason === 'egress_denied') throw new Problem('address_refused')
    if (error instanceof OutboundError)
      throw new Problem('manifest_refused', `The processor could not be asked (${error.reason}).`)
    if (error instanceof AdapterFault) throw new Problem('manifest_refused', `${error.detail}.`)
    throw error
  }
}
