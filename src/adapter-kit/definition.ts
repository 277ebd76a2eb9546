import type { Readable } from 'node:stream'
import type { AnswerStore } from './answer-store.ts'
import type {
  Action,
  DatasetDescription,
  EffectAction,
  Identity,
  Limits,
  RecipientOutcome,
  Resolved,
  RetentionReason,
  Task,
} from './protocol.ts'

/** The person as you found them: whatever you need to read their data, and which of the asked identities led there. */
export interface Found {
  /** Some of the identities that were asked about, as they were asked, and never others. */
  matched: readonly Identity[]
}

/** The call being answered. `signal` is aborted when nobody waits for the answer any more. */
export interface Call<A extends Action = Action> {
  task: Task<A>
  signal: AbortSignal
}

/** A record: an object, or the JSON text of one (e.g. `row_to_json(…)::text`), which spares parsing and printing it. */
export type Row = object | string

/**
 * A file of the person: `content` for small ones (at most 256 KiB, sent inside the stream), or `key` for any size, which is
 * fetched through a link that only this process can make and that lives for an hour; `openFile(key)` then gives the bytes.
 */
export type FileToSend =
  | { name: string; mediaType: string; content: Uint8Array }
  | { name: string; mediaType: string; size: number; key: string }

/**
 * What became of a dataset. A number says to how many things it was done: nothing there when it is 0. What is kept is kept with
 * how much, why (`17_3_b` with its statute) and until which day (YYYY-MM-DD). All other outcomes go to a person.
 */
export type Outcome =
  | number
  | ({ recipients?: readonly RecipientOutcome[] } & (
      | { outcome: 'completed' | 'no_data'; count?: number }
      | { outcome: 'retained'; count: number; reason: RetentionReason; statute?: string; until: string }
      | { outcome: 'partially_completed' | 'not_supported' | 'refused' | 'failed' | 'cancelled'; count?: number; reason?: string }
    ))

/** By action, what does it. Doing it twice must have the effect of once: the kit remembers answers for an hour, not for ever. */
export type Effects<Person, Done = Outcome> = { [A in EffectAction]?: (person: Person, call: Call<A>) => Done | Promise<Done> }

/**
 * One dataset: what it is, how many things it holds of a person, how to read them and what can be done to them: `erase`,
 * `restrict` and the other actions that change something, each a function of its name. `rectify` is given only the corrections
 * of this dataset, and only in fields that it has. Datasets are gone through one after the other in the order of their definition.
 */
export interface DatasetDefinition<Person> extends DatasetDescription, Effects<Person> {
  /** Records plus files. Cheap: it is asked often. */
  count(person: Person, call: Call): number | Promise<number>
  /** Yield records one by one or, much faster for many, in arrays of some thousand. Read pages or a cursor, never everything. */
  records?(person: Person, call: Call): AsyncIterable<Row | Row[]> | Iterable<Row | Row[]>
  files?(person: Person, call: Call): AsyncIterable<FileToSend> | Iterable<FileToSend>
  /** What an action would come to, changing nothing, where that isn't that it is done to all that is counted. */
  foresee?: Effects<Person>
}

/** All an author writes. Everything about HTTP, signatures, retries, streaming and asynchronous answers is the kit's. */
export interface AdapterDefinition<Person extends Found> {
  /** Lower-case name of the service, e.g. `billing`. */
  name: string
  /** Shared secrets (`whsec_…`), the current one first; two while one is being replaced. */
  secrets: string | readonly string[]
  /** The kinds of identity that `find` understands. */
  identityTypes: readonly { type: string; formats?: readonly ('raw' | 'sha256')[] }[]
  /** By name: lower-case letters, digits and underscores. */
  datasets: Readonly<Record<string, DatasetDefinition<Person>>>
  /** Needed when there are no datasets. */
  holdsNothingBecause?: string
  /** Looks the person up; `undefined` says that nobody here is meant. Throw `TaskProblem` when several people are. */
  find(identities: readonly Identity[], call: Call): Person | undefined | Promise<Person | undefined>
  /** For the service that knows who is who: all identities and contact points of the person. */
  resolve?(identities: readonly Identity[], call: Call): Resolved | undefined | Promise<Resolved | undefined>
  /** Awaited before the first record is read, e.g. until a vendor's export is ready. */
  prepare?(person: Person, call: Call): Promise<void>
  /**
   * What is done to the person as a whole rather than dataset by dataset, e.g. in one transaction; goes before what datasets
   * define. Gives an outcome, by name, for each dataset in `call.task.scope`, which holds those that the action concerns.
   */
  perform?: Effects<Person, Readonly<Record<string, Outcome>>>
  /** Where it is remembered what was answered to a change, for adapters that are several processes: this process alone, unless given. */
  answers?: AnswerStore
  openFile?(key: string): Promise<Readable | Uint8Array | undefined>
  /** An answer not ready within this time (ms) is promised with 202 instead: 10,000 unless told; 0 promises always. */
  answerWithin?: number
  /** Seconds to wait between two looks at a promised answer: 5 unless told. */
  pollEvery?: number
  /** Where this adapter is reached, when not under the host name it is called by. */
  publicUrl?: string
  region?: string
  limits?: Limits
  /** ISO 8601 duration. */
  expectedDuration?: string
  /** Adapters that must have erased before this one does. */
  eraseAfter?: readonly string[]
  /** Whether a change in progress can be stopped through `call.signal`. */
  cancellable?: boolean
  /** Told of every failure that is answered with 500, cuts a stream or keeps a callback from arriving. The kit writes no log. */
  onError?(error: unknown): void
}
