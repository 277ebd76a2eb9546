import { type Static, Type } from 'typebox'
import { DURATION } from '../domain/duration.ts'

const closed = { additionalProperties: false } as const
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })
const Name = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$' })
const Path = Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.~-]*(/[A-Za-z0-9_][A-Za-z0-9_.~-]*)*$', maxLength: 200 })
const Host = Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' })

/** By which an error is known: its HTTP status, a code in its body, or words of its message, whatever their case. */
const Sign = Type.Object(
  {
    statuses: Type.Optional(Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), { maxItems: 10 })),
    codes: Type.Optional(Type.Array(text(64), { maxItems: 20 })),
    says: Type.Optional(Type.Array(text(200), { maxItems: 10 })),
  },
  closed,
)
export type Sign = Static<typeof Sign>

/**
 * How one processor speaks OpenDSR (github.com/opengdpr/OpenDSR). Every one that was looked at differs from the specification
 * somewhere, and the specification from itself: so each is described, and none is programmed.
 */
export const Profile = Type.Object(
  {
    /** Under the base URL, which ends in the version or whatever else the processor put there. */
    requestsPath: Path,
    discoveryPath: Path,
    /** Where results are when a status does not say: `download/{id}`. */
    resultsPath: Type.Optional(Type.String({ pattern: '^([A-Za-z0-9_][A-Za-z0-9_.~-]*/)+\\{id\\}$', maxLength: 200 })),
    /** After the paths of requests and of discovery; never after an id. */
    trailingSlash: Type.Boolean(),
    headerPrefix: Type.Enum(['X-OpenDSR', 'X-OpenGDPR', 'either']),
    /** A list of `{identity_type, identity_value, identity_format}`, or `{email: {value, encoding}}`. */
    identityShape: Type.Enum(['array', 'map']),
    /** Of a person with more identities than one request takes, several are made. */
    identitiesPerRequest: Type.Enum(['all', 'one_of_each_type', 'one']),
    /** Our kinds of identity, each as the processor calls it and in the one form in which it is sent there. */
    identityTypes: Type.Record(
      Name,
      Type.Object({ type: text(64), format: Type.Enum(['raw', 'sha256', 'sha1', 'md5']) }, closed),
      { minProperties: 1, maxProperties: 50 },
    ),
    apiVersion: text(16),
    sendRegulation: Type.Boolean(),
    /** Members of every request beyond those of the specification: `property_id`, `extensions`. */
    extraBody: Type.Record(text(64), Type.Unknown(), { maxProperties: 20 }),
    /** Other spellings of a status. */
    statuses: Type.Record(text(32), Type.Enum(['pending', 'in_progress', 'completed', 'cancelled']), { maxProperties: 20 }),
    /** Over call backs. Answers need none: they come over TLS from the address that was asked. */
    signature: Type.Enum(['rsa-pkcs1v15-sha256', 'rsa-pss-sha256', 'none']),
    /** In the header of call backs and in the certificate. The host of the base URL, where it is left out. */
    processorDomain: Type.Optional(Host),
    /** PEM. Trusted as it stands; without it, the one that discovery names has to lead to an authority. */
    certificate: Type.Optional(text(20_000)),
    /** Whether it is told where to call back. It is polled in any case. */
    callback: Type.Boolean(),
    pollEvery: Type.String({ pattern: DURATION.source }),
    resultsAuth: Type.Enum(['same', 'none']),
    /** Where results may be besides the processor's own origin. */
    resultsHosts: Type.Array(Host, { maxItems: 10 }),
    errorEnvelope: Type.Enum(['wrapped', 'bare', 'either']),
    errors: Type.Object({ duplicate: Sign, notFound: Sign, later: Sign }, closed),
    /** A copy that it took a request for and then knows nothing of: nobody was found. An erasure is always sent again. */
    notFoundIsNoData: Type.Boolean(),
    auth: Type.Object(
      {
        scheme: Type.Enum(['none', 'basic', 'bearer', 'header']),
        header: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' })),
      },
      closed,
    ),
    limits: Type.Object(
      { concurrency: Type.Integer({ minimum: 1, maximum: 256 }), perMinute: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
      closed,
    ),
  },
  closed,
)
export type Profile = Static<typeof Profile>
