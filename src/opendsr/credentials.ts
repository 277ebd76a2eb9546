import type { Contact } from '../adapters/fetch-manifest.ts'
import type { Fault } from '../domain/problem.ts'
import type { Profile } from './profile.ts'

type Auth = Profile['auth']

/** What each way to show who we are needs to know. */
const NEEDED: Record<Auth['scheme'], readonly string[]> = {
  none: [],
  basic: ['username', 'password'],
  bearer: ['token'],
  header: ['value'],
}

/** Headers that frame a call. */
const FRAMING = /^(host|connection|accept.*|content-.*|transfer-encoding|expect|upgrade|te|trailer)$/

export function credentialFaults({ scheme, header = '' }: Auth, credentials: Contact['credentials']): Fault[] {
  const needed = NEEDED[scheme]
  return [
    ...needed.filter(name => !credentials[name]).map(name => fault(name, `Is needed: it is asked with '${scheme}'.`)),
    ...Object.keys(credentials)
      .filter(name => !needed.includes(name))
      .map(name => fault(name, `Is not used: it is asked with '${scheme}'.`)),
    ...Object.entries(credentials)
      .filter(([, value]) => !/^[\x20-\x7e]*$/.test(value))
      .map(([name]) => fault(name, 'Has characters that no header takes.')),
    ...(scheme === 'basic' && credentials.username?.includes(':') ? [fault('username', 'Has no colon (RFC 7617, 2).')] : []),
    ...(FRAMING.test(header) ? [{ pointer: '/settings/overrides/auth/header', detail: 'This header is not free.' }] : []),
  ]
}

const fault = (name: string, detail: string): Fault => ({ pointer: `/credentials/${name}`, detail })

/** The header with which a processor is shown who asks. */
export function credentialHeaders({ scheme, header = '' }: Auth, credentials: Contact['credentials']): Record<string, string> {
  const { username, password, token = '', value = '' } = credentials
  if (scheme === 'none') return {}
  if (scheme === 'header') return { [header]: value }
  const basic = () => Buffer.from(`${username}:${password}`).toString('base64')
  return { authorization: scheme === 'bearer' ? `Bearer ${token}` : `Basic ${basic()}` }
}
