import { type Static, type TSchema, Type } from 'typebox'
import { STATUTE } from '../domain/statute.ts'

// Members that a schema does not name are allowed everywhere and dropped on reading: version 1 may grow.

const list = <T extends TSchema>(of: T, maxItems: number) => Type.Array(of, { maxItems })
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

/** Adapters, datasets, kinds of identity: fit for a path, a file name and a log line. */
const Name = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$' })

const ACTIONS = [
  'resolve',
  'locate',
  'collect',
  'rectify',
  'erase',
  'restrict',
  'lift_restriction',
  'object',
  'withdraw_consent',
] as const satisfies readonly Action[]

export const OUTCOMES = [
  'completed',
  'partially_completed',
  'no_data',
  'retained',
  'not_supported',
  'refused',
  'failed',
  'cancelled',
] as const

const Field = Type.Object({
  name: text(128),
  type: Type.Optional(text(32)),
  title: Type.Optional(text(200)),
  /** Its value is about, or from, somebody else: the name of whoever answered, of another participant. */
  thirdParty: Type.Optional(Type.Boolean()),
  /** Somebody's own words, in which anybody may be mentioned. */
  freeText: Type.Optional(Type.Boolean()),
})

/** What a dataset is, in the words of Art. 15(1) GDPR; whether they are words of the privacy policy is asked elsewhere. */
const Dataset = Type.Object({
  name: Name,
  title: text(200),
  category: text(64),
  origin: Type.Enum(['provided', 'observed', 'derived', 'third_party']),
  purposes: Type.Array(text(64), { minItems: 1, maxItems: 50 }),
  legalBases: Type.Array(text(64), { minItems: 1, maxItems: 10 }),
  /** Id of the retention rule. */
  retention: text(64),
  fields: list(Field, 500),
  /** Special categories (Art. 9) or criminal matters (Art. 10). */
  sensitive: Type.Boolean(),
  recipients: list(text(200), 100),
  /** Records may speak of other people, too (Art. 15(4)). */
  containsThirdParties: Type.Boolean(),
})
export type Dataset = Static<typeof Dataset>

/** What an adapter holds and can do, after what it left unsaid was filled in. */
export const Manifest = Type.Object({
  protocol: Type.Literal('dsar-adapter/1'),
  name: Name,
  region: Type.Optional(text(64)),
  actions: Type.Array(Type.Enum(ACTIONS), { minItems: 1, maxItems: ACTIONS.length, uniqueItems: true }),
  identityTypes: list(Type.Object({ type: Name, formats: Type.Optional(list(Type.Enum(['raw', 'sha256']), 2)) }), 50),
  limits: Type.Object({
    concurrency: Type.Integer({ minimum: 1, maximum: 256 }),
    perMinute: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    batch: Type.Integer({ minimum: 1, maximum: 1000 }),
  }),
  /** Adapters that must have erased before this one does. */
  eraseAfter: list(Name, 100),
  /** ISO 8601 duration. */
  expectedDuration: Type.Optional(
    Type.String({ maxLength: 32, pattern: '^P(?=\\d|T\\d)(\\d{1,4}D)?(T(\\d{1,5}H)?(\\d{1,6}M)?(\\d{1,8}S)?)?$' }),
  ),
  cancellable: Type.Boolean(),
  datasets: list(Dataset, 200),
  holdsNothingBecause: Type.Optional(text(500)),
})
export type Manifest = Static<typeof Manifest>

export const Identity = Type.Object({ type: Name, value: text(1024), format: Type.Optional(Type.Enum(['raw', 'sha256'])) })
export type Identity = Static<typeof Identity>

/** One thing that is wrong, and what is right. `from` is how it stands, so that nothing else is changed by mistake. */
export interface Correction {
  dataset: string
  field: string
  from: string | number | boolean | null
  to: string | number | boolean | null
}

/** What each action is told beyond whom and which datasets it is about. Grounds are codes: `17_1_b`, `18_1_a`, `21_1`. */
interface ParametersOf {
  resolve: Record<never, never>
  locate: Record<never, never>
  collect: Record<never, never>
  rectify: { corrections: readonly Correction[] }
  erase: { ground?: string }
  restrict: { ground?: string }
  lift_restriction: Record<never, never>
  object: { purposes: readonly string[]; ground?: string }
  withdraw_consent: { purposes?: readonly string[]; cookies?: readonly string[] }
}
type Action = keyof ParametersOf

/** One action asked of one adapter for one data subject: the body of `POST {base}/tasks`. */
export interface TaskCall<A extends Action = Action> {
  taskId: string
  requestId: string
  action: A
  attempt: number
  /** Change nothing and hand nothing over, but say what would come of it. */
  dryRun: boolean
  subject: { identities: readonly Identity[] }
  scope: { datasets: readonly string[] }
  parameters: ParametersOf[A]
  dueAt: string
  callbackUrl?: string
  regulation?: string
  /** The article that the change rests on, e.g. `17_1_b`. */
  legalGround?: string
}

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const DatasetAnswer = Type.Object({
  name: Name,
  outcome: Type.Enum(OUTCOMES),
  count: Type.Optional(Count),
  /** A code such as `17_3_b`, never a sentence: it goes onto the request, where nothing is sealed. */
  reason: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$' })),
  statute: Type.Optional(Type.String({ pattern: STATUTE })),
  /** Day or instant. */
  until: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d(T[0-9:.]{5,18}(Z|[+-]\\d\\d:\\d\\d))?$' })),
})
export type DatasetAnswer = Static<typeof DatasetAnswer>

const Matched = list(Identity, 200)

/** Whom outside the controller the adapter has told of the change (Art. 19). */
const RecipientAnswer = Type.Object({ name: text(200), outcome: Type.Enum(['acknowledged', 'failed', 'impossible']) })
export type RecipientAnswer = Static<typeof RecipientAnswer>

export const Result = Type.Object({
  taskId: text(128),
  matched: Matched,
  datasets: list(DatasetAnswer, 200),
  recipients: Type.Optional(list(RecipientAnswer, 100)),
})

export const ResolveAnswer = Type.Object({
  taskId: text(128),
  matched: Matched,
  identities: list(Identity, 200),
  /** `since`: the instant from which on the address has belonged to the person; a fresh one proves little. */
  contactPoints: list(Type.Object({ type: Name, value: text(500), since: text(40), verified: Type.Boolean() }), 50),
  name: Type.Optional(text(500)),
  locale: Type.Optional(text(35)),
  country: Type.Optional(text(2)),
  status: Type.Enum(['match', 'hold', 'suspected_fraud']),
})
export type ResolveAnswer = Static<typeof ResolveAnswer>

const MEDIA_TYPE = '^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}( ?;[^\\r\\n]{1,200})?$'

export const FileLine = Type.Object({
  name: text(1024),
  mediaType: Type.String({ pattern: MEDIA_TYPE }),
  size: Type.Optional(Count),
  url: Type.Optional(text(4096)),
  base64: Type.Optional(Type.String()),
})
export type FileLine = Static<typeof FileLine>

/**
 * The last line of a collect stream. `datasets` may say more than the counts do, of a dataset that was not handed over in
 * full: `{ name, outcome, reason … }`. What it does not name is completed, or has no data when its count is 0.
 */
export const EndLine = Type.Object({
  taskId: Type.Optional(text(128)),
  matched: Matched,
  counts: Type.Record(Type.String(), Count),
  datasets: Type.Optional(list(DatasetAnswer, 200)),
})
export type EndLine = Static<typeof EndLine>
