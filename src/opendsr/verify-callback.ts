import { constants, type KeyObject, verify, type X509Certificate } from 'node:crypto'
import type { CallBack } from '../adapters/kinds.ts'
import { isObject, parseStatement } from '../adapters/strict-json.ts'
import type { Profile } from './profile.ts'
import { idsOf } from './subject-requests.ts'

type Signed = Pick<Profile, 'signature' | 'headerPrefix'> & { processorDomain: string }

/** The signature of a call back; undefined where it names another domain than the one that may, or is not as this processor sends them. */
export function signatureOf(profile: Signed, headers: CallBack['headers']): Buffer | undefined {
  const prefixes = profile.headerPrefix === 'either' ? ['x-opendsr', 'x-opengdpr'] : [profile.headerPrefix.toLowerCase()]
  const [prefix] = prefixes.filter(one => headers[`${one}-signature`] !== undefined)
  // One library leaves out the second hyphen.
  const domain = headers[`${prefix}-processor-domain`] ?? headers[`${prefix}-processordomain`]
  const signature = headers[`${prefix}-signature`]
  if (typeof domain !== 'string' || typeof signature !== 'string') return undefined
  if (domain.toLowerCase() !== profile.processorDomain.toLowerCase()) return undefined
  const bytes = Buffer.from(signature, 'base64')
  return bytes.toString('base64') === signature ? bytes : undefined
}

/** Whether these bytes were signed with the key of this certificate, in the one way in which the processor signs. */
export function isSignedBy({ publicKey }: X509Certificate, profile: Signed, signature: Buffer, rawBody: Buffer): boolean {
  const padded = paddingOf(profile.signature, publicKey)
  return padded !== undefined && verify('sha256', rawBody, padded, signature)
}

function paddingOf(signature: Profile['signature'], key: KeyObject) {
  if (signature === 'rsa-pkcs1v15-sha256') return { key, padding: constants.RSA_PKCS1_PADDING }
  if (signature === 'rsa-pss-sha256')
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
  return undefined
}

const DEPTH = 32

/** Whether a body whose signature was verified is about this task, and was sent to where it came. */
export function isAbout({ taskId, url }: Pick<CallBack, 'taskId' | 'url'>, rawBody: Buffer): boolean {
  const body = parseStatement(rawBody, DEPTH, 'the call back')
  if (!isObject(body) || typeof body.subject_request_id !== 'string') return false
  const isOurs = idsOf(taskId).includes(body.subject_request_id.toLowerCase())
  return isOurs && (body.status_callback_url == null || body.status_callback_url === url)
}
