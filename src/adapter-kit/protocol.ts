/** The shapes of the service-adapter protocol, version 1, as they travel. The contract is openapi/adapter.yaml. */

/** One way to point at a person. `format` says how `value` is written; absent means as it is. */
export interface Identity {
  type: string
  value: string
  format?: 'raw' | 'sha256'
}

export const READ_ACTIONS = ['resolve', 'locate', 'collect'] as const
export const EFFECT_ACTIONS = ['rectify', 'erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent'] as const
export type EffectAction = (typeof EFFECT_ACTIONS)[number]
export type Action = (typeof READ_ACTIONS)[number] | EffectAction

/** How a dataset came to be held: it decides whether a person may take it elsewhere (Art. 20 GDPR). */
export type Origin = 'provided' | 'observed' | 'derived' | 'third_party'

export interface Field {
  name: string
  type: 'string' | 'number' | 'boolean' | 'date' | 'datetime' | 'object' | 'array'
  title?: string
  /** The value is about, or from, somebody else: it may be withheld from the person, where the privacy policy says so. */
  thirdParty?: boolean
  /** Somebody's own words, in which anybody may be mentioned. */
  freeText?: boolean
}

/** What a dataset is, in the words of Art. 15(1): the vocabularies are those of the controller's privacy policy. */
export interface DatasetDescription {
  /** What a data subject reads, e.g. `Invoices`. */
  title: string
  category: string
  origin: Origin
  purposes: readonly string[]
  legalBases: readonly string[]
  /** Id of the retention rule. */
  retention: string
  fields?: readonly Field[]
  /** Special categories (Art. 9) or criminal matters (Art. 10). */
  sensitive?: boolean
  /** Everybody outside the controller to whom this is disclosed, by name. */
  recipients?: readonly string[]
  /** Records may speak of other people, too (Art. 15(4)). Said of itself where a field is `thirdParty`. */
  containsThirdParties?: boolean
}

export interface Limits {
  concurrency?: number
  perMinute?: number
  batch?: number
}

export interface Manifest {
  protocol: 'dsar-adapter/1'
  name: string
  region?: string
  actions: readonly Action[]
  identityTypes: readonly { type: string; formats?: readonly ('raw' | 'sha256')[] }[]
  limits: Limits
  eraseAfter: readonly string[]
  expectedDuration: string
  cancellable: boolean
  datasets: readonly (DatasetDescription & { name: string })[]
  holdsNothingBecause?: string
}

type Letters<First extends string, Last extends string> = `${First}_${Last}`
/** Why a person may ask for erasure (Art. 17(1)), for restriction (18(1)), and why data may be kept all the same (17(3)). */
export type ErasureGround = Letters<'17_1', 'a' | 'b' | 'c' | 'd' | 'e' | 'f'>
export type RestrictionGround = Letters<'18_1', 'a' | 'b' | 'c' | 'd'>
export type RetentionReason = Letters<'17_3', 'a' | 'b' | 'c' | 'd' | 'e'>

export type Scalar = string | number | boolean | null

/** One thing that is wrong, and what is right. Change what stands as `from` and nothing else. */
export interface Correction {
  dataset: string
  field: string
  from: Scalar
  to: Scalar
}

/** What each action is told beyond whom and which datasets it is about. */
export interface ParametersOf {
  resolve: Record<never, never>
  locate: Record<never, never>
  collect: Record<never, never>
  rectify: { corrections: readonly Correction[] }
  erase: { ground?: ErasureGround }
  restrict: { ground?: RestrictionGround }
  lift_restriction: Record<never, never>
  /** No longer to be processed for these purposes. */
  object: { purposes: readonly string[]; ground?: string }
  /** Nothing more is to rest on consent for these purposes and kinds of cookies. */
  withdraw_consent: { purposes: readonly string[]; cookies: readonly string[] }
}

export interface Task<A extends Action = Action> {
  taskId: string
  requestId: string
  action: A
  attempt: number
  /** The kit sees to it that none of your functions that change something is called then. */
  dryRun: boolean
  subject: { identities: readonly Identity[] }
  scope: { datasets: readonly string[] }
  parameters: ParametersOf[A]
  dueAt?: string
  callbackUrl?: string
  regulation?: string
  legalGround?: string
}

export interface DatasetOutcome {
  name: string
  outcome: 'completed' | 'partially_completed' | 'no_data' | 'retained' | 'not_supported' | 'refused' | 'failed' | 'cancelled'
  count?: number
  reason?: string
  statute?: string
  until?: string
}

/** Somebody outside the controller who holds the data, too, and was told of the change (Art. 19). */
export interface RecipientOutcome {
  name: string
  outcome: 'acknowledged' | 'failed' | 'impossible'
}

export interface Result {
  taskId: string
  matched: readonly Identity[]
  datasets: readonly DatasetOutcome[]
  recipients?: readonly RecipientOutcome[]
}

/** An address the adapter has on file, and since when: a fresh one is no proof of identity. */
export interface ContactPoint {
  type: 'email' | 'phone' | 'postal'
  value: string
  /** Instant since which this address has belonged to the person. */
  since: string
  verified: boolean
}

/**
 * Who the asked identities belong to. `hold`: they belong to different people, or something else keeps the adapter
 * from saying; then there are no contact points. `suspected_fraud`: the account is known to be in somebody else's hands.
 */
export interface Resolved {
  matched: readonly Identity[]
  identities: readonly Identity[]
  contactPoints: readonly ContactPoint[]
  name?: string
  /** BCP 47. */
  locale?: string
  /** ISO 3166-1 alpha-2. */
  country?: string
  status: 'match' | 'hold' | 'suspected_fraud'
}

export type ResolveResult = Resolved & { taskId: string }
