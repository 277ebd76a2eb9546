import { randomBytes } from 'node:crypto'
import { endpoint } from '../../adapters/fetch-manifest.ts'
import type { Finding, WireCheck } from '../check.ts'
import { insist, Objection } from '../objection.ts'
import { bareTask, type Manner, type Wire } from '../wire.ts'

const SIGNATURES = 'openapi/adapter.yaml, Signatures'
const TEN_MINUTES = 600

const stranger = (): string => `whsec_${randomBytes(24).toString('base64')}`
const located = ({ somebody }: Wire) => bareTask('locate', somebody)

/** Each address of the adapter answers 401 to a call in this manner. */
async function refused(wire: Wire, manner: Manner): Promise<Finding> {
  const manifest = await wire.send(endpoint(wire.baseUrl, 'manifest'), undefined, manner)
  insist(manifest.status === 401, `GET /manifest was answered with ${manifest.status} instead of 401.`)
  for (const action of ['locate', 'collect']) {
    const { status } = await wire.post(bareTask(action, wire.somebody), manner)
    insist(status === 401, `POST /tasks (${action}) was answered with ${status} instead of 401.`)
  }
  return 'Refused at /manifest and at /tasks.'
}

async function alteredIsRefused(wire: Wire): Promise<Finding> {
  const task = located(wire)
  const { status } = await wire.post(task, { altered: JSON.stringify({ ...task, attempt: 2 }) })
  insist(status === 401, `A body that is not the signed one was answered with ${status} instead of 401.`)
  return 'A body with one digit changed was refused.'
}

async function rotationWorks(wire: Wire): Promise<Finding> {
  const { secrets } = wire
  const { status } = await wire.send(endpoint(wire.baseUrl, 'manifest'), undefined, { secrets: [stranger(), ...secrets] })
  insist(status === 200, `One good signature among two was answered with ${status}.`)
  return 'One good signature among two was taken.'
}

async function isUncompressed(wire: Wire): Promise<Finding> {
  const heard = [await wire.send(endpoint(wire.baseUrl, 'manifest'), undefined)]
  for (const action of ['locate', 'collect']) heard.push(await wire.post(bareTask(action, wire.somebody)))
  return `${heard.length} answers, none of them encoded.`
}

/** What our client refuses to read it says by name; anything else is for other checks to object to. */
async function unlessEncoded(wire: Wire): Promise<Finding> {
  try {
    return await isUncompressed(wire)
  } catch (error) {
    if (error instanceof Objection && error.message.includes('unsupported_encoding'))
      throw new Objection('An answer is compressed, though identity was asked for.')
    throw error
  }
}

export const SIGNATURE_CHECKS: readonly WireCheck[] = [
  { id: 'uncompressed', title: 'Answers are sent as they are', reference: 'openapi/adapter.yaml, Retries', run: unlessEncoded },
  {
    id: 'unsigned_refused',
    title: 'A call that nobody signed is refused',
    reference: SIGNATURES,
    run: wire => refused(wire, { secrets: [] }),
  },
  {
    id: 'wrongly_signed_refused',
    title: 'A call signed with another secret is refused',
    reference: SIGNATURES,
    run: wire => refused(wire, { secrets: [stranger()] }),
  },
  {
    id: 'old_refused',
    title: 'A call that was signed ten minutes ago is refused',
    reference: SIGNATURES,
    run: wire => refused(wire, { skew: -TEN_MINUTES }),
  },
  {
    id: 'future_refused',
    title: 'A call signed ten minutes ahead of time is refused',
    reference: SIGNATURES,
    run: wire => refused(wire, { skew: TEN_MINUTES }),
  },
  { id: 'altered_refused', title: 'A call altered on its way is refused', reference: SIGNATURES, run: alteredIsRefused },
  {
    id: 'rotation',
    title: 'A call signed with two secrets is taken where one of them is known',
    reference: SIGNATURES,
    run: rotationWorks,
  },
]
