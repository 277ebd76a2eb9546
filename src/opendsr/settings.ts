import { X509Certificate } from 'node:crypto'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Contact } from '../adapters/fetch-manifest.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { credentialFaults } from './credentials.ts'
import { DIALECT_NAMES, DIALECTS } from './dialects.ts'
import { Profile } from './profile.ts'

/**
 * What a processor is registered with. It has one dataset: a request is about everything that it holds of a person, so nothing
 * of it could be left out for a part that was refused, or handed over for a part that was asked for.
 */
const Settings = Type.Object(
  {
    name: Type.String(),
    dialect: Type.Enum(DIALECT_NAMES),
    overrides: Type.Optional(Type.Partial(Profile, { additionalProperties: false })),
    datasets: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1, maxItems: 1 }),
    region: Type.Optional(Type.String()),
    eraseAfter: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
)
const validator = Compile(Settings)
const MAX_ERRORS = 20

/** What a request consists of: nothing of it can be replaced. */
const OWN_MEMBERS: ReadonlySet<string> = new Set([
  ...['regulation', 'subject_request_id', 'subject_request_type', 'submitted_time'],
  ...['subject_identities', 'api_version', 'status_callback_urls'],
])

export interface Known {
  profile: Profile & { processorDomain: string }
  /** The manifest as far as it is told and not asked for. */
  told: { name: string; datasets: readonly unknown[]; region?: string; eraseAfter?: readonly string[] }
}

/** Reads how to speak to a processor. @throws Problem `manifest_refused`, with a pointer for each fault */
export function readSettings(contact: Contact): Known {
  const { settings, baseUrl } = contact
  if (!validator.Check(settings)) throw refused(validator.Errors(settings).map(toFault))
  const { dialect, overrides = {}, ...told } = settings
  const host = URL.parse(baseUrl)?.hostname ?? ''
  const given: Profile = { ...DIALECTS[dialect], ...overrides }
  const profile = { ...given, processorDomain: given.processorDomain ?? host }
  const faults = [
    ...(host ? [] : [{ pointer: '/baseUrl', detail: 'A processor has an address.' }]),
    ...profileFaults(profile),
    ...credentialFaults(profile.auth, contact.credentials),
  ]
  if (faults.length > 0) throw refused(faults)
  return { profile, told }
}

export const refused = (errors: readonly Fault[], detail = 'The processor cannot be asked so.'): Problem =>
  new Problem('manifest_refused', detail, { errors: errors.slice(0, MAX_ERRORS) })

const toFault = ({ instancePath, message, keyword, params }: ReturnType<typeof validator.Errors>[number]): Fault => ({
  pointer: `/settings${instancePath}`,
  detail: keyword === 'enum' && 'allowedValues' in params ? `${message}: ${params.allowedValues.join(', ')}` : message,
})

function profileFaults({
  callback,
  signature,
  certificate,
  identityShape,
  identitiesPerRequest,
  extraBody,
  auth,
}: Profile): Fault[] {
  const faults: Fault[] = []
  const add = (pointer: string, detail: string) => faults.push({ pointer: `/settings/overrides${pointer}`, detail })
  if (callback && signature === 'none') add('/callback', 'Without a signature nobody could believe a call back.')
  if (certificate !== undefined && !isCertificate(certificate)) add('/certificate', 'This is no certificate in PEM.')
  if (identityShape === 'map' && identitiesPerRequest === 'all')
    add('/identitiesPerRequest', 'A map holds one identity of each type.')
  for (const member of Object.keys(extraBody))
    if (OWN_MEMBERS.has(member)) add(`/extraBody/${member}`, 'This member is filled in by the service.')
  if ((auth.scheme === 'header') !== (auth.header !== undefined))
    add('/auth/header', 'The name of a header belongs to the scheme of that name, and to no other.')
  return faults
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}
