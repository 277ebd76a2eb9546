import type { Day } from '../domain/day.ts'
import type { ExtensionReason } from '../domain/delay.ts'
import type { PauseReason } from '../domain/ledger.ts'
import { Problem } from '../domain/problem.ts'
import type { RefusalGround } from '../domain/refusal.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { addresseeOf } from './addressee.ts'
import type { PowerDeps } from './power.ts'

interface Refused {
  right: Right
  ground: RefusalGround
  /** The provision of national law. */
  citation?: string
  reasons: string
  authority: { name: string; url: string; language: string }
}
interface Extended {
  reasonCode: ExtensionReason
  reasons: string
  receivedOn: Day
  dueOn: Day
}

/** What the person is told of a decision, in the words of whoever took it. The occasion is what it is about: that is told once. */
export type DecisionLetter = { occasion: string } & (
  | { kind: 'refusal'; values: Refused }
  | { kind: 'partial-refusal'; values: Refused & { parts: { text: string; language?: string }[] } }
  | { kind: 'extension'; values: Extended }
  | { kind: 'clarification'; values: { about: Exclude<PauseReason, 'fee'>; question: string } }
  | { kind: 'fee-notice'; values: { amount: `${number}`; currency: string; reasons: string } }
  | { kind: 'answered'; values: { text: string } }
  | { kind: 'message-waiting'; values: Record<never, never> }
)

/** Writes to the person, in the caller's transaction: it goes out if, and only if, what it tells of happened. */
export type WriteDecisionLetter = (tx: Tx, request: DsarRequest, letter: DecisionLetter) => Promise<void>

/**
 * For what counts only if the person is told of it as of a request of theirs. Who was reported has made none: neither does theirs
 * take longer, nor do we wait for a proof of them. @throws Problem `unprocessable` there, and where nobody can be written to
 */
export async function requireReader(deps: PowerDeps, tx: Tx, request: DsarRequest): Promise<void> {
  if (request.relationship === 'reporter')
    throw new Problem('unprocessable', 'The person was reported and has asked for nothing; write them a message.')
  if (!(await canBeTold(deps, tx, request)))
    throw new Problem('unprocessable', 'No address of the person is known yet, and this counts only if they are told of it.')
}

/** Whether there is an address to which the request can be answered. */
export const canBeTold = async (deps: PowerDeps, tx: Tx, request: DsarRequest): Promise<boolean> =>
  (await addresseeOf(deps, tx, request)) !== undefined
