import { Type } from 'typebox'
import type { SentHeader } from '../auth/route-config.ts'

/** Every header that an answer can bear and a caller may act on, as the description of the API has it. */
export const RESPONSE_HEADERS = {
  ETag: { description: 'The version of what is answered; goes into If-Match.', schema: Type.String(), example: '"v3"' },
  Location: { description: 'Where what was made or changed is found.', schema: Type.String({ format: 'uri-reference' }) },
  Link: {
    description: 'The next page, where there is one (RFC 8288).',
    schema: Type.String(),
    example: '</v1/requests?cursor=eyJk>; rel="next"',
  },
  'Retry-After': { description: 'Seconds after which it is worth trying again.', schema: Type.Integer(), example: 5 },
  RateLimit: {
    description: 'Of the policy named: calls left (`r`), and seconds until they are counted anew (`t`).',
    schema: Type.String(),
    example: '"default";r=599;t=60',
  },
  'RateLimit-Policy': {
    description: 'The quota (`q`) and its window in seconds (`w`); a route with a limit of its own is counted as `route`.',
    schema: Type.String(),
    example: '"default";q=600;w=60',
  },
  'Idempotency-Replayed': {
    description: 'The call came before with this Idempotency-Key; this is the answer it got then.',
    schema: Type.String({ const: 'true' }),
  },
  'Content-Range': {
    description: 'Which bytes of how many these are; with 416, of how many.',
    schema: Type.String(),
    example: 'bytes 0-1023/482113',
  },
} as const

export interface Sending {
  /** What the route itself sends with an answer that succeeded. */
  sends: readonly SentHeader[]
  /** Whether its calls are counted. */
  limited: boolean
  /** Whether it takes an Idempotency-Key. */
  keyed: boolean
}

/** References to the headers of an answer with that status. */
export function headersOf(status: number, { sends, limited, keyed }: Sending): Record<string, { $ref: string }> {
  const names: (keyof typeof RESPONSE_HEADERS)[] = [
    ...(status < 300 ? sends : []),
    ...(status === 303 ? (['Location'] as const) : []),
    ...(status === 206 || status === 416 ? (['Content-Range'] as const) : []),
    ...(status === 429 || status === 503 || (status === 409 && keyed) ? (['Retry-After'] as const) : []),
    ...(status < 300 && keyed ? (['Idempotency-Replayed'] as const) : []),
    ...(limited ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
  ]
  return Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}
