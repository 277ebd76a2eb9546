import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { type Day, dayIn, parseDay } from '../domain/day.ts'
import type { PauseReason } from '../domain/ledger.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest, renewVersion } from '../requests/apply-event.ts'
import {
  beginPause,
  endPause,
  findPause,
  insertEntry,
  openPause,
  questionOf,
  type StoredPause,
} from '../requests/clock-ledger.store.ts'
import { requireReader, type WriteDecisionLetter } from '../requests/decision-letter.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { isReserved } from '../requests/reserved.store.ts'

export interface PauseDeps extends CaseDeps, IdentityDeps {
  /** Of the controller: its day is the one on which it asked, and the one on which it has the answer. */
  timeZone: string
  writeLetterToSubject: WriteDecisionLetter
}

type Asked = Exclude<PauseReason, 'fee'>

/** Those who may stop a clock; other staff propose. */
const decides = (caller: Caller) =>
  caller.kind === 'support_agent' && (caller.roles.has('privacy_officer') || caller.roles.has('dpo'))

/**
 * Asks the person which data they mean, or who they are, and notes since when the answer is awaited. What an agent asks is a
 * proposal until an officer agrees, and so is what one officer asks in a case about a VIP or a colleague until another does: it stops nothing and is sent to nobody.
 * @throws Problem `not_allowed`, `illegal_transition`, `already_exists`, `unprocessable`
 */
export async function askPerson(
  deps: PauseDeps,
  tx: Tx,
  requestId: string,
  { reason, question }: { reason: Asked; question: string },
  caller: Caller,
): Promise<StoredPause> {
  const request = await openRequestFor(deps, tx, requestId, caller)
  if (!decides(caller) && reason !== 'clarification')
    throw new Problem('not_allowed', 'Agents propose to ask for clarification, and for nothing else.')
  const before = await openPause(tx, requestId, reason)
  if (before) throw new Problem('already_exists', `Pause ${before.id} for this reason is open.`)
  const by = toActor(caller)
  const entry = { kind: 'pause' as const, reason, text: question, on: null }
  const id = await insertEntry(deps, tx, requestId, entry, { id: by.id, at: deps.clock.now() })
  const proposed: StoredPause = { id, reason, from: null, until: null, createdBy: by.id }
  if (decides(caller) && !isReserved(request)) return begin(deps, tx, request, proposed, caller)
  await deps.record(tx, requestStream(requestId), by, 'pause_proposed', { pause: id, reason })
  await renewVersion(tx, requestId)
  return proposed
}

/** An officer agrees to what an agent wants to ask. @throws Problem `not_found`, `second_person_needed`, `illegal_transition`, `unprocessable` */
export async function approvePause(deps: PauseDeps, tx: Tx, requestId: string, id: string, caller: Caller): Promise<StoredPause> {
  const request = await openRequestFor(deps, tx, requestId, caller)
  const pause = await findPause(tx, requestId, id)
  if (!pause) throw new Problem('not_found')
  if (pause.from) throw new Problem('illegal_transition', 'The person has been asked already.')
  if (isReserved(request)) requireSecondPerson(pause.createdBy, caller)
  return begin(deps, tx, request, pause, caller)
}

async function begin(deps: PauseDeps, tx: Tx, request: DsarRequest, pause: StoredPause, caller: Caller): Promise<StoredPause> {
  const { id, reason } = pause
  if (reason === 'fee') throw new Error('A fee is asked for by a decision.')
  await requireReader(deps, tx, request)
  const from = dayIn(deps.clock.now(), deps.timeZone)
  await beginPause(tx, id, from)
  await deps.record(tx, requestStream(request.id), toActor(caller), 'paused', { pause: id, reason, from })
  await renewVersion(tx, request.id)
  const question = await questionOf(deps, tx, id)
  await deps.writeLetterToSubject(tx, request, { kind: 'clarification', occasion: id, values: { about: reason, question } })
  return { ...pause, from }
}

/**
 * Notes the day on which the person answered: the clock goes on. Whoever agreed to a fee has answered too, and the work can begin.
 * @throws Problem `not_found`, `illegal_transition`, `unprocessable`
 */
export async function answerPause(
  deps: PauseDeps,
  tx: Tx,
  requestId: string,
  id: string,
  answeredOn: string | undefined,
  caller: Caller,
): Promise<StoredPause> {
  const request = await openRequestFor(deps, tx, requestId, caller)
  const pause = await findPause(tx, requestId, id)
  if (!pause) throw new Problem('not_found')
  if (!pause.from || pause.until)
    throw new Problem('illegal_transition', pause.from ? 'The answer is there already.' : 'The person has not been asked yet.')
  const until = answerDay(pause.from, dayIn(deps.clock.now(), deps.timeZone), answeredOn)
  await endPause(tx, id, until)
  await deps.record(tx, requestStream(requestId), toActor(caller), 'pause_answered', { pause: id, reason: pause.reason, until })
  await renewVersion(tx, requestId)
  if (pause.reason === 'fee' && request.state === 'assessing') await deps.enqueue(tx, 'assess', { requestId })
  return { ...pause, until }
}

function answerDay(from: Day, today: Day, given = String(today)): Day {
  const day = parseDay(given)
  if (from <= day && day <= today) return day
  const detail = `It came between ${from}, when we asked, and today.`
  throw new Problem('unprocessable', undefined, { errors: [{ pointer: '/answeredOn', detail }] })
}

async function openRequestFor(deps: PauseDeps, tx: Tx, requestId: string, caller: Caller): Promise<DsarRequest> {
  const request = await lockRequest(tx, requestId)
  await refuseOwnCase(deps, tx, request, caller)
  if (request.closedAt) throw new Problem('illegal_transition', 'The request has ended.')
  return request
}
