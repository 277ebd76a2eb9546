import { Type } from 'typebox'
import { AdapterFault } from '../adapters/fault.ts'
import { validateManifest } from '../adapters/manifest.ts'
import type { Manifest } from '../adapters/protocol.ts'
import { readerOf } from '../adapters/read-json.ts'
import { faultOf } from '../adapters/trouble.ts'
import { Problem } from '../domain/problem.ts'
import { addressOf, type Processor, readJson } from './processor.ts'
import { refused } from './settings.ts'
import { TYPE_OF } from './statuses.ts'

const list = Type.Union([Type.String(), Type.Array(Type.String())])

const readDiscovery = readerOf(
  Type.Object({
    supported_identities: Type.Array(Type.Object({ identity_type: Type.String(), identity_format: Type.Optional(list) })),
    /** A list; in one published description a text. */
    supported_subject_request_types: list,
    processor_certificate: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  }),
)
type Discovery = ReturnType<typeof readDiscovery>

/** What a processor tells of itself. @throws AdapterFault, OutboundError */
export async function discover(processor: Processor): Promise<Discovery> {
  const { baseUrl, profile } = processor
  const answer = await processor.ask(addressOf(baseUrl, profile.discoveryPath, { slash: profile.trailingSlash }))
  if (answer.status === 200) return readDiscovery(await readJson(answer, 'the discovery'), 'the discovery')
  answer.discard()
  throw faultOf(answer.status)
}

/** Where its certificate is. @throws AdapterFault when that is not on the domain of the discovery, as it has to be */
export function certificateAddress({ baseUrl }: Processor, { processor_certificate }: Discovery): string {
  const url = URL.parse(processor_certificate ?? '')
  if (!url || url.username || url.password || url.hostname !== new URL(baseUrl).hostname)
    throw new AdapterFault('location_refused', 'the certificate is not on the domain of the discovery')
  return url.href
}

const all = (given: string | readonly string[]): readonly string[] =>
  typeof given === 'string' ? given.split(/[\s,;"[\]]+/).filter(Boolean) : given

/**
 * The manifest that follows: what the processor does not offer it cannot be asked for, and is a task for a person.
 * @throws Problem `manifest_refused`
 */
export function manifestFrom({ profile, told }: Processor, discovery: Discovery): Manifest {
  const offered = all(discovery.supported_subject_request_types)
  const takes = (type: string, format: string) =>
    discovery.supported_identities.some(one => one.identity_type === type && all(one.identity_format ?? format).includes(format))
  const identityTypes = Object.entries(profile.identityTypes).filter(([, { type, format }]) => takes(type, format))
  const actions = Object.entries(TYPE_OF).filter(([, type]) => offered.includes(type))
  const faults = [
    ...(identityTypes.length > 0 ? [] : [{ pointer: '/settings/overrides/identityTypes', detail: 'It takes none of these.' }]),
    ...(actions.length > 0 ? [] : [{ pointer: '', detail: `It offers none of ${Object.values(TYPE_OF).join(', ')}.` }]),
  ]
  if (faults.length > 0) throw refused(faults, 'The processor offers nothing that could be asked of it.')
  return ofSettings({
    ...told,
    protocol: 'dsar-adapter/1',
    actions: actions.map(([action]) => action),
    identityTypes: identityTypes.map(([type]) => ({ type })),
    limits: { ...profile.limits, batch: 1 },
    cancellable: true, // for as long as it is `pending`
  })
}

/** What is wrong with a dataset is wrong in the settings. */
function ofSettings(manifest: unknown): Manifest {
  try {
    return validateManifest(manifest)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw refused(error.errors.map(({ pointer, detail }) => ({ pointer: `/settings${pointer}`, detail })))
  }
}
