import type { OutboundReason } from '../platform/outbound.ts'
import type { FaultCode } from './fault.ts'
import type { DatasetAnswer, Identity, RecipientAnswer, ResolveAnswer } from './protocol.ts'

/** Why asking came to nothing: a fault of the adapter's answer, or of the way there, nothing known to ask it with, no way to ask it that, or trouble of our own. */
export type Trouble = FaultCode | OutboundReason | 'no_identity' | 'not_supported' | 'own_trouble' | 'worker_lost'

/**
 * What an adapter's answer to a task comes to. `detail` is ours and fit for a log; everything an adapter said of a person is in
 * `matched`, `identities`, `contactPoints`, `name` and in what the sink took.
 */
export type Answer =
  /** Nobody of these identities is known there: a full answer. */
  | { kind: 'unknown' }
  | ({ kind: 'resolved' } & Omit<ResolveAnswer, 'taskId'>)
  /** One answer for each dataset in scope; and whom the adapter has told of a change, where it said so. */
  | { kind: 'result'; matched: Identity[]; datasets: DatasetAnswer[]; recipients?: RecipientAnswer[] }
  /** The same after a collect. `count` is what arrived, records and files together, and is always there. */
  | { kind: 'collected'; matched: Identity[]; datasets: (DatasetAnswer & { count: number })[]; files: number }
  /** Still at work: poll there, or wait to be called back. */
  | { kind: 'accepted'; location: string; retryAfterSeconds: number }
  /** It speaks of somebody we did not ask about. Nothing of it may be used. */
  | { kind: 'quarantined'; reason: string }
  /** Worth asking again; not before `afterSeconds`, where the adapter said so. */
  | ({ kind: 'later'; afterSeconds?: number } & CameToNothing)
  /** Asking again would give the same: a person has to look. */
  | ({ kind: 'failed' } & CameToNothing)

interface CameToNothing {
  code: Trouble
  detail: string
  /** The same call came to nothing for another task, which says so too. */
  shared?: true
}

export const isTrouble = (answer: { kind: string }): answer is Extract<Answer, { kind: 'later' | 'failed' }> =>
  answer.kind === 'later' || answer.kind === 'failed'
