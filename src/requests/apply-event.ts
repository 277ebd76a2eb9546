import { type Facts, holdStream, type Recorder, requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import type { Day } from '../domain/day.ts'
import { type Event, FLAGS, type Flag, isTerminal, nextState, RESERVED, type State } from '../domain/lifecycle.ts'
import type { Completeness, DsarRequest } from '../domain/request.ts'
import { type Jobs, OWED_ON_ENTERING } from '../pipeline.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Enqueue } from '../platform/queue.ts'
import * as requests from './requests.store.ts'

export interface CaseDeps {
  record: Recorder
  enqueue: Enqueue<Jobs>
  clock: Clock
  /** Of the privacy policy in force. */
  policyVersion: string
}

/** The request and its record, held until the transaction ends, so that what is decided about it stays true. @throws Problem `not_found` */
export async function lockRequest(tx: Tx, id: string): Promise<DsarRequest> {
  const [request] = await Promise.all([requests.lock(tx, id), holdStream(tx, requestStream(id))])
  return request
}
export const getRequest = requests.get

/** From here on there is an answer, given under the policy of that moment: another that comes later does not rewrite it. */
const ANSWERED_ON_ENTERING: ReadonlySet<State> = new Set(['delivering', 'refused'])

/**
 * Applies something that has happened to a request.
 *
 * This is the only way a request changes state. In the caller's transaction it
 * moves the request, writes the audit entry and enqueues what the new state owes,
 * so there is never a state without its record nor a promise without its job.
 * @throws Problem `illegal_transition`
 */
export async function applyEvent(
  deps: CaseDeps,
  tx: Tx,
  id: string,
  event: Event,
  by: Actor,
  facts: Facts = {},
): Promise<DsarRequest> {
  const request = await lockRequest(tx, id)
  const state = nextState(request.state, event, request.right)

  const closedAt = isTerminal(state) ? deps.clock.now() : null
  const flags = request.flags.filter(flag => !settledBy(state).includes(flag))
  const policyVersion = ANSWERED_ON_ENTERING.has(state) ? deps.policyVersion : request.policyVersion
  const moved = await requests.update(tx, request, { state, closedAt, flags, policyVersion })
  await deps.record(tx, requestStream(id), by, event, {
    ...facts,
    ...(policyVersion !== request.policyVersion && { policyVersion }),
    from: request.state,
    to: state,
  })
  for (const job of OWED_ON_ENTERING[state]) await deps.enqueue(tx, job, { requestId: id })
  for (const flag of request.flags)
    if (!flags.includes(flag)) await deps.record(tx, requestStream(id), by, 'flag_lowered', { flag })

  return moved
}

/** What is about the answer itself, or owed by others beside it, and that somebody says it was not theirs. */
const OUTLIVES_THE_ANSWER: ReadonlySet<Flag> = new Set([
  ...(['mail_undeliverable', 'count_mismatch', 'forwarding_unanswered', 'repudiated'] as const),
  ...RESERVED,
])

/**
 * What needs nobody's eyes any more in a new state. A job that failed was owed to the state before: it has been done, or is not
 * owed any more. At the end only what is about the answer itself still matters, and for whose eyes it is.
 */
const settledBy = (state: State): readonly Flag[] =>
  isTerminal(state)
    ? FLAGS.filter(flag => !OUTLIVES_THE_ANSWER.has(flag))
    : state === 'assessing'
      ? ['failed_job']
      : ['failed_job', 'needs_decision']

/** Raises or lowers what asks for a person's eyes, on the record. Nothing happens where it stands so already. */
export async function setFlag(deps: CaseDeps, tx: Tx, id: string, flag: Flag, raised: boolean, by: Actor): Promise<void> {
  const request = await requests.lock(tx, id)
  if (request.flags.includes(flag) === raised) return
  const flags = raised ? [...request.flags, flag] : request.flags.filter(other => other !== flag)
  await requests.update(tx, request, { flags })
  await deps.record(tx, requestStream(id), by, raised ? 'flag_raised' : 'flag_lowered', { flag })
}

/** Makes a new version of a request whose particulars have changed: what its readers hold is stale. */
export async function renewVersion(tx: Tx, id: string): Promise<void> {
  await requests.update(tx, await requests.lock(tx, id), {})
}

/** Notes the last day the law allows now that the person was told why it takes longer. The promise has no such door. */
export async function changeLegalDay(tx: Tx, id: string, legalDueOn: Day): Promise<DsarRequest> {
  return requests.update(tx, await requests.lock(tx, id), { legalDueOn })
}

/** Begins the time in which it can still be withdrawn, with its end. */
export async function startCoolingOff(
  deps: CaseDeps,
  tx: Tx,
  id: string,
  endsAt: Date,
  by: Actor,
  facts: Facts,
): Promise<DsarRequest> {
  await requests.update(tx, await requests.lock(tx, id), { coolsOffAt: endsAt })
  return applyEvent(deps, tx, id, 'cooling_off_started', by, { ...facts, endsAt: endsAt.toISOString() })
}

/**
 * Makes everything that was shown of who asks count no more: it has to be shown anew. Both are looked at before anything is asked of
 * an adapter, the level and that there is a proof of it. A mandate that lets somebody act without the person was shown by no address of theirs.
 */
export async function voidProofs(deps: CaseDeps, tx: Tx, id: string): Promise<DsarRequest> {
  // Logins bear the time of other machines.
  await tx.query(
    `UPDATE proof SET void_since = $2 WHERE request_id = $1 AND void_since IS NULL AND NOT (method = 'mandate'
       AND EXISTS (SELECT FROM mandate m WHERE m.request_id = $1 AND m.decision = 'approved' AND m.revoked_at IS NULL AND m.voice = 'told'))`,
    [id, realTime(deps.clock)],
  )
  const [left] = await tx.query<{ level: number }[]>(
    'SELECT coalesce(max(level), 0) AS level FROM proof WHERE request_id = $1 AND void_since IS NULL',
    [id],
  )
  return requests.update(tx, await requests.lock(tx, id), { assurance: left?.level ?? 0 })
}

/** Notes how well the person is known now. It falls only when proofs are made void. */
export async function raiseAssurance(tx: Tx, id: string, level: number): Promise<DsarRequest> {
  const request = await requests.lock(tx, id)
  return level > request.assurance ? requests.update(tx, request, { assurance: level }) : request
}

/** Notes how well the person has to be known from now on; `unfrozen` is what will do again once a freeze is over. */
export async function changeNeededAssurance(
  tx: Tx,
  id: string,
  change: Pick<DsarRequest, 'assuranceNeeded' | 'assuranceUnfrozen'>,
): Promise<DsarRequest> {
  return requests.update(tx, await requests.lock(tx, id), change)
}

export async function noteCompleteness(tx: Tx, id: string, completeness: Completeness): Promise<void> {
  await requests.update(tx, await requests.lock(tx, id), { completeness })
}
