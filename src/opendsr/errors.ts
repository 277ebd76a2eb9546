import { AdapterFault } from '../adapters/fault.ts'
import { isObject } from '../adapters/strict-json.ts'
import { faultOf } from '../adapters/trouble.ts'
import type { OutboundAnswer } from '../platform/outbound.ts'
import { type Processor, readJson } from './processor.ts'
import type { Profile, Sign } from './profile.ts'

/** What an error of a processor says, as far as it can be read. Nothing of it is passed on: its words are whatever it put there. */
interface Said {
  status: number
  codes: readonly string[]
  message: string
}

/** @returns what is to be done about it, where that is more than to fail @throws AdapterFault for what is neither */
export async function readError({ profile }: Processor, answer: OutboundAnswer): Promise<'duplicate' | 'not_found'> {
  const said = await read(profile.errorEnvelope, answer)
  const { duplicate, notFound, later } = profile.errors
  if (bears(duplicate, said)) return 'duplicate'
  if (bears(notFound, said)) return 'not_found'
  if (bears(later, said)) throw new AdapterFault('busy', 'the processor asks for time')
  throw faultOf(said.status)
}

const bears = ({ statuses = [], codes = [], says = [] }: Sign, said: Said): boolean =>
  statuses.includes(said.status) ||
  codes.some(code => said.codes.includes(code)) ||
  says.some(words => said.message.toLowerCase().includes(words.toLowerCase()))

/** `{error: {code, message, errors}}` as it is specified, or the same without its envelope. */
async function read(envelope: Profile['errorEnvelope'], answer: OutboundAnswer): Promise<Said> {
  const { status } = answer
  if (status < 400) {
    answer.discard()
    return { status, codes: [], message: '' }
  }
  const body = await readJson(answer, 'the error').catch(() => undefined)
  const outer = isObject(body) ? body : {}
  const inner = isObject(outer.error) && envelope !== 'bare' ? outer.error : envelope === 'wrapped' ? {} : outer
  const list = Array.isArray(inner.errors) ? inner.errors.filter(isObject) : []
  return {
    status,
    codes: [inner.code, inner.af_gdpr_code, ...list.map(({ reason }) => reason)].map(String),
    message: [inner.message, ...list.map(({ message }) => message)].filter(one => typeof one === 'string').join('\n'),
  }
}
