import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { publicKeyOf } from './public-key.ts'

const Name = Type.String({ minLength: 1, maxLength: 500 })

/** Where a token of this issuer keeps what we need, when not under the standard names. Dots lead into objects: `realm_access.roles`. */
const ClaimNames = Type.Object(
  {
    subject: Type.Optional(Name),
    client: Type.Optional(Name),
    scopes: Type.Optional(Name),
    roles: Type.Optional(Name),
    email: Type.Optional(Name),
    emailVerified: Type.Optional(Name),
  },
  { additionalProperties: false },
)

/** Signatures that anybody can check and only the issuer can make. A shared secret (HS*) could be used by us to mint callers. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** One authority whose tokens are accepted, for one audience, and the one kind of caller it may mint. */
const IssuerSchema = Type.Object(
  {
    issuer: Name,
    audience: Name,
    kind: Type.Enum(['service', 'support_agent', 'portal']),
    algorithms: Type.Array(Type.Enum([...ALGORITHMS]), { minItems: 1 }),
    jwksUrl: Type.Optional(Type.String({ format: 'url' })),
    /** PEM, or a JWK object. */
    publicKey: Type.Optional(Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())])),
    /** The `typ` its access tokens bear. Without one only `at+jwt` (RFC 9068) is taken, which no ID token bears. */
    tokenType: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+./-]{1,64}$' })),
    /** The only clients (`client_id` or `azp`) whose tokens are taken; all when left out. */
    clients: Type.Optional(Type.Array(Name, { minItems: 1 })),
    /** Seconds since issue after which a token is no longer taken, whatever it says itself: how long a role that was withdrawn goes on working. */
    maxAge: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
    claims: Type.Optional(ClaimNames),
  },
  { additionalProperties: false },
)
export type Issuer = Static<typeof IssuerSchema>

const IssuersSchema = Type.Array(IssuerSchema, { minItems: 1 })

/** Five minutes for staff (OWASP ASVS 5, 8.3.2), an hour for the others. */
export const maxAgeOf = ({ maxAge, kind }: Issuer): number => maxAge ?? (kind === 'support_agent' ? 300 : 3600)

/** Reads the trusted issuers from JSON. @throws Error that names everything wrong at once, one line each. */
export function parseIssuers(json: string): Issuer[] {
  const issuers = parseJson(json)
  if (!Value.Check(IssuersSchema, issuers)) {
    throw refusal(
      [...Value.Errors(IssuersSchema, issuers)].map(({ instancePath, message }) => `${instancePath || '/'} ${message}`),
    )
  }
  const faults = issuers.flatMap((issuer, at) => faultsOf(issuer).map(fault => `/${at} ${fault}`))
  const audiences = issuers.map(({ issuer, audience }) => JSON.stringify([issuer, audience]))
  if (new Set(audiences).size < audiences.length)
    faults.push('/ names an issuer and audience twice: a token could not be told apart')
  if (faults.length > 0) throw refusal(faults)
  return issuers
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw refusal(['/ is not JSON'])
  }
}

const refusal = (faults: string[]) => new Error(`The trusted issuers cannot be used:\n${faults.join('\n')}`)

function faultsOf(issuer: Issuer): string[] {
  const { jwksUrl, publicKey } = issuer
  if ((jwksUrl === undefined) === (publicKey === undefined)) return ['needs either jwksUrl or publicKey']
  if (jwksUrl !== undefined) {
    return isPrivate(new URL(jwksUrl)) ? [] : ['/jwksUrl has to be https: whoever can change the keys can be anybody']
  }
  try {
    publicKeyOf(publicKey ?? '')
    return []
  } catch (error) {
    return [`/publicKey ${(error as Error).message}`]
  }
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost'])
const isPrivate = ({ protocol, hostname }: URL) => protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname))
