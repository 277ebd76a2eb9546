import Type, { type Static, type TSchema } from 'typebox'
import { WITHHOLDING_REASONS } from '../domain/withheld.ts'
import { AssuranceSchema } from './assurance.ts'
import { table } from './table.ts'

/** The vocabulary of the privacy policy. A manifest that uses any other word is refused, for nobody could explain it to a person. */
export const CATEGORIES = [
  'account',
  'profile',
  'billing',
  'content',
  'learning',
  'support',
  'feedback',
  'usage',
  'device',
  'marketing',
  'third_party',
] as const
export const PURPOSES = [
  'provide_service',
  'billing',
  'communication',
  'support',
  'analytics',
  'security',
  'legal_compliance',
  'marketing',
] as const
export const LEGAL_BASES = ['contract', 'legitimate_interest', 'consent', 'legal_obligation'] as const
export const RETENTION_RULES = [
  'account_data',
  'usage_data',
  'financial_records',
  'support_communications',
  'consent_withdrawal',
] as const
const SOURCES = ['person', 'automatic', 'third_party'] as const
const SAFEGUARDS = ['standard_contractual_clauses', 'adequacy', 'other'] as const
const COOKIES = ['essential', 'analytics', 'functional', 'marketing'] as const

export type Category = (typeof CATEGORIES)[number]

const closed = { additionalProperties: false } as const
const Text = Type.String({ minLength: 1, pattern: '^[^\\r\\n]+$' })
const Email = Type.String({ pattern: '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$' })
const HttpsUrl = Type.String({ pattern: '^https://[^\\s"<>]+$' })
const Period = Type.String({ pattern: '^P[0-9]+[DWMY]$' })

const Retention = {
  title: Text,
  /** What the period runs from. */
  from: Type.Enum(['account_deletion', 'collection', 'transaction', 'consent_withdrawal']),
  period: Period,
}

const CategorySchema = Type.Object(
  {
    title: Text,
    description: Text,
    source: Type.Enum([...SOURCES]),
    purposes: Type.Partial(table(PURPOSES, Type.Array(Type.Enum([...LEGAL_BASES]), { minItems: 1, uniqueItems: true })), {
      ...closed,
      minProperties: 1,
    }),
    retention: Type.Enum([...RETENTION_RULES]),
  },
  closed,
)

const RecipientSchema = Type.Object(
  {
    name: Text,
    kind: Text,
    /** ISO 3166-1 alpha-2: where the data go. */
    country: Type.String({ pattern: '^[A-Z]{2}$' }),
    /** What protects them there (Art. 46), where that is outside the Union. */
    safeguard: Type.Optional(Type.Enum([...SAFEGUARDS])),
    /** Categories that reach this recipient whichever adapter they come from. */
    receives: Type.Array(Type.Enum([...CATEGORIES])),
  },
  closed,
)

const Name = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$' })
const Reason = Type.Enum([...WITHHOLDING_REASONS])

/** What is done so that a copy does not harm others (Art. 15(4), recital 63): to what, and why. */
const OthersRightsRule = Type.Object(
  {
    name: Name,
    /** What it concerns; what is not said is any. */
    adapter: Type.Optional(Name),
    dataset: Type.Optional(Name),
    category: Type.Optional(Type.Enum([...CATEGORIES])),
    /** Which fields are redacted, or delivered all the same, by how the manifest marks them; `third_party` unless told. */
    fields: Type.Optional(Type.Enum(['third_party', 'free_text'])),
    /** `withhold` is for one named dataset of one adapter. */
    do: Type.Enum(['redact', 'withhold', 'deliver']),
    /** Of what is not delivered. */
    reason: Type.Optional(Reason),
    says: Text,
  },
  closed,
)

/** Somebody who decides alone about some of the data that adapters hold, such as a university about its grades (Art. 4(7)). */
const ControllerSchema = Type.Object(
  {
    name: Text,
    /** Where people reach it. */
    contact: Type.String({ pattern: '^(https://[^\\s"<>]+|mailto:[^@\\s"<>?]+@[^@\\s"<>?]+\\.[^@\\s"<>?]+)$' }),
    /** Where it is told that a request waits for it. */
    email: Email,
    /** As whom it fetches that: `<issuer>|<client id>` of its token. */
    client: Text,
    /** What is its own: these datasets and categories, of this adapter or of any. */
    adapter: Type.Optional(Name),
    datasets: Type.Optional(Type.Array(Name, { minItems: 1 })),
    categories: Type.Optional(Type.Array(Type.Enum([...CATEGORIES]), { minItems: 1 })),
  },
  closed,
)

/** What letters quote of the policy, in another language: all of it, or the language is not there. */
const TranslationSchema = Type.Object({ supervisoryAuthority: Text, categories: table(CATEGORIES, Text) }, closed)

const Years = Type.Integer({ minimum: 1, maximum: 100 })
const byCountry = <T extends TSchema>(value: T) =>
  Type.Object({ otherwise: value, countries: Type.Record(Type.String({ pattern: '^[A-Z]{2}$' }), value) }, closed)

/** For whom somebody may act, and for how long. */
const RepresentationSchema = Type.Object(
  {
    ages: Type.Object({ ownVoice: Years, consent: byCountry(Type.Integer({ minimum: 13, maximum: 16 })), adult: Years }, closed),
    /** How long ago somebody may have seen what shows a power to act for another. */
    seenWithinDays: Type.Integer({ minimum: 1, maximum: 3650 }),
    /** How long after somebody's death their heirs can ask. */
    heirYears: byCountry(Years),
  },
  closed,
)

/** The privacy policy as data, and as a JSON Schema of it. */
export const PolicySchema = Type.Object(
  {
    version: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' }),
    language: Type.String({ pattern: '^[a-z]{2}$' }),
    translations: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z]{2}$' }), TranslationSchema, closed)),
    controller: Type.Object(
      {
        name: Text,
        address: Type.Array(Text, { minItems: 1 }),
        phone: Type.String({ pattern: '^\\+[0-9]+$' }),
        contacts: Type.Object({ privacyOfficer: Email, dataProtectionOfficer: Email, support: Email }, closed),
      },
      closed,
    ),
    supervisoryAuthority: Type.Object({ name: Text, url: HttpsUrl }, closed),
    promiseDays: Type.Integer({ minimum: 1, maximum: 30 }),
    minimumAge: Type.Integer({ minimum: 0 }),
    assurance: AssuranceSchema,
    representation: RepresentationSchema,
    controllers: Type.Array(ControllerSchema),
    othersRights: Type.Object(
      {
        /** The first that concerns a dataset, or a field of it, is meant. */
        rules: Type.Array(OthersRightsRule),
        /** How a field about somebody else is redacted that no rule speaks of. */
        otherwise: Type.Object({ name: Name, reason: Reason, says: Text }, closed),
      },
      closed,
    ),
    automatedDecisions: Type.Object({ exist: Type.Boolean(), statement: Text }, closed),
    purposes: table(PURPOSES, Text),
    legalBases: table(LEGAL_BASES, Type.Object({ title: Text, article: Text }, closed)),
    retention: Type.Object(
      {
        account_data: Type.Object(Retention, closed),
        usage_data: Type.Object(Retention, closed),
        financial_records: Type.Object({ ...Retention, statute: Text }, closed),
        support_communications: Type.Object(Retention, closed),
        consent_withdrawal: Type.Object(Retention, closed),
      },
      closed,
    ),
    safeguards: table(SAFEGUARDS, Text),
    recipients: Type.Array(RecipientSchema),
    cookies: table(COOKIES, Text),
    categories: table(CATEGORIES, CategorySchema),
    sources: table(SOURCES, Text),
  },
  closed,
)

export type Policy = Static<typeof PolicySchema>

/** The purposes for which any data are used on this legal basis. */
export const purposesOn = ({ categories }: Pick<Policy, 'categories'>, basis: (typeof LEGAL_BASES)[number]): Set<string> =>
  new Set(
    Object.values(categories).flatMap(category =>
      Object.entries(category.purposes).flatMap(([purpose, bases]) => (bases?.includes(basis) ? [purpose] : [])),
    ),
  )
