import type { Readable } from 'node:stream'
import type { Day } from '../domain/day.ts'
import type { Origin, PackagedRight } from '../domain/rights.ts'
import type { Withheld } from '../domain/withheld.ts'
import type { Signer } from '../platform/signing.ts'
import type { Policy } from '../policy/policy.ts'

/** Everything one package is made of. Names of people are not needed and not taken. */
export interface PackageInput {
  /** A UUID. */
  requestId: string
  right: PackagedRight
  receivedAt: Date
  assembledAt: Date
  /** BCP 47; a language without messages gets English. */
  locale: string
  policy: Policy
  /** One for every adapter that was to be asked, whether it answered or not. */
  adapters: readonly AdapterAnswer[]
  /** What other controllers answer. */
  forwardings: readonly Forwarded[]
  parts: readonly Part[]
  signer: Signer
}

/** A part of the request that another controller answers; `contact` is a URI. */
export interface Forwarded {
  controller: string
  contact: string
  datasets: readonly { adapter: string; dataset: string; title: string }[]
  forwardedOn: Day
  dueOn: Day
}

/**
 * What became of asking an adapter. `unknown_person`, `holds_nothing`, `nothing_portable` and `nothing_asked_for` are full answers that bring no data;
 * `suspended`, `failed` and `not_answered` are none; `settled_by_hand` is what people found out instead, and brings no data either.
 */
export type AdapterStatus =
  | 'answered'
  | 'unknown_person'
  | 'holds_nothing'
  | 'nothing_portable'
  | 'nothing_asked_for'
  | 'suspended'
  | 'failed'
  | 'not_answered'
  | 'settled_by_hand'

export interface AdapterAnswer {
  name: string
  title?: string
  status: AdapterStatus
  answeredAt?: Date
  datasets: readonly DatasetAnswer[]
}

/**
 * The protocol's outcomes of a dataset, `not_portable` for one that was not asked for because Art. 20 does not cover it, `not_asked_for` for one of a category that the person left out,
 * `withheld` for one that came and was left out for the sake of others, and `forwarded` for one that another controller answers for.
 */
export type PackagedOutcome =
  | 'completed'
  | 'partially_completed'
  | 'no_data'
  | 'retained'
  | 'not_supported'
  | 'refused'
  | 'failed'
  | 'cancelled'
  | 'not_portable'
  | 'not_asked_for'
  | 'withheld'
  | 'forwarded'

export interface DatasetAnswer {
  name: string
  title: string
  category: string
  origin: Origin
  purposes: readonly string[]
  legalBases: readonly string[]
  retention: string
  recipients: readonly string[]
  fields: readonly { name: string; type: string; title?: string }[]
  containsThirdParties: boolean
  outcome: PackagedOutcome
  /** Records and files received. */
  count: number
  /** Records and files that the adapter had counted beforehand. */
  located?: number
  reason?: string
  statute?: string
  until?: string
  /** What was left out of it for the sake of others: fields, or all of it. */
  withheld?: readonly Withheld[]
}

/**
 * One file of the payload: final bytes, of which size and digest are already known. `records` is a JSON array and `table` the same as
 * CSV, at most one of each in a dataset; a `file` is an attachment, numbered within its dataset from 1.
 */
export type Part = {
  adapter: string
  dataset: string
  bytes: number
  /** Hexadecimal. */
  sha256: string
  /** A stream, or the bytes themselves where they are few. */
  open(): Promise<Readable | Buffer>
} & ({ kind: 'records' } | { kind: 'table' } | { kind: 'file'; number: number; mediaType: string; originalName?: string })
