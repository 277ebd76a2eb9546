import { createHash } from 'node:crypto'
import { AdapterFault } from '../adapters/fault.ts'
import type { CallBack, Heard } from '../adapters/kinds.ts'
import { Problem } from '../domain/problem.ts'
import { OutboundError } from '../platform/outbound.ts'
import type { Certificates } from './certificates.ts'
import type { Processor } from './processor.ts'
import { isAbout, isSignedBy, signatureOf } from './verify-callback.ts'

/**
 * Whether a call back comes from the processor, in the order of OpenDSR 8.8: the domain that it names is the one that may, the
 * certificate of that domain is believed, the signature is over these very bytes; only then are they read, and have to be about
 * a request of ours. The same body is the same message: it has no name of its own.
 * @throws Problem `not_allowed`, which is the 403 that the specification asks for
 */
export async function hear(certificates: Certificates, processor: Processor, callBack: CallBack): Promise<Heard> {
  if (!processor.profile.callback || !(await isProven(certificates, processor, callBack))) throw notProven()
  const digest = createHash('sha256').update(callBack.rawBody).digest('hex')
  return { message: `opendsr-${digest}`, onEveryChange: true }
}

const notProven = () => new Problem('not_allowed', 'Nothing shows that this comes from the processor.')

async function isProven(certificates: Certificates, processor: Processor, callBack: CallBack): Promise<boolean> {
  const { profile } = processor
  const { rawBody, headers } = callBack
  const signature = signatureOf(profile, headers)
  if (!signature) return false
  /** One that is kept may be out of date, or have been replaced. */
  const fits = (doubted: boolean) =>
    believable(async () => isSignedBy(await certificates.of(processor, { doubted }), profile, signature, rawBody))
  return ((await fits(false)) || (await fits(true))) && believable(async () => isAbout(callBack, rawBody))
}

async function believable(look: () => Promise<boolean>): Promise<boolean> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof AdapterFault || error instanceof OutboundError) return false
    throw error
  }
}
