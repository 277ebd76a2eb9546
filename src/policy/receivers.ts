import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { decideUrl, type EgressPolicy, egressPolicy } from '../platform/egress-policy.ts'

/** Who takes a copy over directly (Art. 20(2)): another controller that the operator knows, never an address that a caller names. */
const ReceiverSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$' }),
    /** As people know it. */
    name: Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f]+$' }),
    /** Where packages are posted; https but for hosts on the operator's list. */
    endpoint: Type.String({ pattern: '^https?://[^\\s"<>#@]+$' }),
  },
  { additionalProperties: false },
)
export type Receiver = Static<typeof ReceiverSchema>

const Receivers = Type.Array(ReceiverSchema)

/**
 * Reads the receivers from JSON; none is the rule: then nothing is transmitted. `allowedHosts` may be private and plain http.
 * @throws Error that names what is wrong, so that it shows at the start and not when somebody asks
 */
export function parseReceivers(json: string, allowedHosts: readonly string[]): Receiver[] {
  const found = parsed(json)
  if (!Value.Check(Receivers, found)) {
    const faults = [...Value.Errors(Receivers, found)].map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
    throw new Error(`is no list of {id, name, endpoint}: ${faults.join('; ')}`)
  }
  if (new Set(found.map(({ id }) => id)).size < found.length) throw new Error('names an id twice')
  const egress = egressPolicy(allowedHosts)
  return found.map(receiver => ({ ...receiver, endpoint: hrefOf(receiver, egress) }))
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new Error('is not JSON')
  }
}

/** In its one spelling, which is what is signed. */
function hrefOf({ id, endpoint }: Receiver, egress: EgressPolicy): string {
  const verdict = decideUrl(endpoint, egress)
  if (!verdict.allowed) throw new Error(`gives '${id}' an endpoint that may not be called: ${verdict.why}`)
  return new URL(endpoint).href
}
