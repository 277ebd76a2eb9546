import { type Answer, isTrouble } from '../adapters/answer.ts'
import { retryDelay } from '../adapters/retry.ts'
import { requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import { dayIn } from '../domain/day.ts'
import type { State } from '../domain/lifecycle.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Withheld } from '../domain/withheld.ts'
import { afterCommit, type Transact, type Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { type CompareDeps, compareResolution } from '../verification/compare-resolution.ts'
import { keepResolution } from '../verification/keep-resolution.ts'
import { noteWhetherUp } from './breaker.store.ts'
import { contradictionIn, fewerThanLocated, leftOver, whoseErasure } from './contradictions.ts'
import { erasedElsewhere } from './erased-elsewhere.store.ts'
import { goOn, standingAfter } from './go-on.ts'
import { isEffect, notWhole } from './judge-effect.ts'
import { saveParts } from './parts.store.ts'
import { noteTold, type RecipientDeps } from './recipients.store.ts'
import { noteContradiction, saidByCallBack } from './second-answers.store.ts'
import type { SpooledPart } from './spool.ts'
import { type DatasetAnswer, locationContext, lockTask, settle, type Task, type TaskChange } from './tasks.store.ts'

export interface ReceiveDeps extends CaseDeps, IdentityDeps, RecipientDeps, CompareDeps {
  random(): number
  /** Of the controller. */
  timeZone: string
  transact: Transact
  onAnswer(action: string, kind: string): void
}

/**
 * What came of asking, and what of it was left out for the sake of others. Reading back what was corrected brings nothing but whether
 * it shows.
 */
export type Came =
  | (Answer & { withheld?: Withheld[] })
  /** Nobody was asked: it was settled otherwise just before. */
  | { kind: 'needless' }
  | { kind: 'read_back'; datasets: DatasetAnswer[]; uncorrected: string[] }

/** A copy with fewer records than were counted just before is asked for again this often before it is taken for what there is. */
const RECOUNTS = 2

/**
 * Takes in what came of an attempt. Answers to one request are taken one at a time, so the last knows that it is the last.
 * Whether what came was kept: not when the attempt is no longer the task's, the request moved on, or it is asked for again.
 */
export async function receiveAnswer(deps: ReceiveDeps, tx: Tx, task: Task, answer: Came, parts: SpooledPart[]): Promise<boolean> {
  const request = await lockRequest(tx, task.requestId)
  const trouble = isTrouble(answer) ? answer : undefined
  if (!trouble?.shared) await noteWhetherUp(tx, task.adapterId, trouble?.code)
  if (!isAwaited(task, request.state)) return comesSecond(deps, tx, task, answer)
  const now = deps.clock.now()
  const change = await changeFor(deps, tx, task, unlessHeldBack(answer, request.state), now)
  const settled = { ...task, state: change.state }
  // Asked in one breath, and done in this order: who was not settled by this releases nobody, and what else was read is not looked at.
  const [isSettled, standing, saidBefore] = await Promise.all([
    settle(tx, task, change, now),
    standingAfter(tx, settled),
    change.state === 'done' ? saidByCallBack(tx, task) : [],
  ])
  if (!isSettled) return comesSecond(deps, tx, task, answer)

  const by: Actor = { kind: 'adapter', id: task.adapter }
  await deps.record(tx, requestStream(request.id), by, `task_${change.state}`, {
    taskId: task.id,
    action: task.action,
    attempt: task.attempt,
    ...(change.problem && { problem: change.problem.code }),
    ...(change.answer?.erasedFor && { erasedFor: change.answer.erasedFor }),
    ...(change.answer?.withheld && { withheld: change.answer.withheld.map(inShort) }),
  })
  afterCommit(tx, () => deps.onAnswer(task.action, answer.kind))
  if (change.state === 'done') {
    await keepWhatCame(deps, tx, request, task, answer, parts)
    for (const said of saidBefore) if (await noteContradiction(deps, tx, task, said)) break
  }
  await goOn(deps, tx, request, settled, standing)
  return change.state === 'done'
}

/** An attempt that was given up for lost may answer after all, when another has brought the answer. */
async function comesSecond(deps: ReceiveDeps, tx: Tx, task: Task, answer: Came): Promise<false> {
  if (answer.kind === 'unknown') await noteContradiction(deps, tx, task, [])
  if (answer.kind === 'result' || answer.kind === 'collected') await noteContradiction(deps, tx, task, answer.datasets)
  return false
}

const inShort = ({ dataset, field, records, rule }: Withheld): string =>
  `${records} × ${dataset}${field === undefined ? '' : `.${field}`} (${rule})`

/** Whether a request in this state still waits for such an answer. */
function isAwaited({ action, round }: Task, state: State): boolean {
  if (round > 0) return state === 'completed'
  if (action === 'resolve') return state === 'verifying' || state === 'cooling_off' || state === 'delivering'
  return state === 'fulfilling' || state === 'cooling_off'
}

/** Whom somebody holds back while their request is on its way has to be talked about between people before it goes on. */
const unlessHeldBack = (answer: Came, state: State): Came =>
  answer.kind === 'resolved' && answer.status !== 'match' && state !== 'verifying'
    ? { kind: 'quarantined', reason: `It says '${answer.status}' by now.` }
    : answer

async function changeFor(deps: ReceiveDeps, tx: Tx, task: Task, answer: Came, now: Date): Promise<TaskChange> {
  const failures = task.failures + 1
  const later = (code: string, detail: string, retryAfter?: number): TaskChange => ({
    state: 'ready',
    failures,
    delaySeconds: retryDelay(deps, { attempt: failures, now, dueAt: task.dueAt, retryAfter }),
    problem: { code, detail },
  })
  switch (answer.kind) {
    case 'unknown':
      return changeForUnknown(tx, task, later)
    case 'needless':
      return { state: 'done', answer: { status: 'nothing_in_scope', datasets: [] }, problem: null }
    case 'resolved':
      return { state: 'done', answer: { status: 'answered', datasets: [] }, problem: null }
    case 'result':
    case 'collected': {
      const datasets = answer.datasets.map(one => ({ ...one, count: one.count ?? 0 }))
      const isJudged = isEffect(task.action) || task.action === 'confirm_erased'
      const wrong = isJudged ? notWhole(datasets, dayIn(now, deps.timeZone)) : undefined
      if (wrong) return { state: 'failed', failures, answer: { status: 'answered', datasets }, problem: wrong }
      if (task.action === 'confirm_erased') {
        const left = await leftOver(tx, task, datasets)
        if (left && task.failures < RECOUNTS) return later('still_there', left)
        if (left) return { state: 'failed', failures, problem: { code: 'still_there', detail: left } }
      }
      const missing = answer.kind === 'collected' ? await fewerThanLocated(tx, task, datasets) : undefined
      if (missing && task.failures < RECOUNTS)
        return later('fewer_than_located', `Dataset '${missing}' came with fewer records than were counted.`)
      const withheld = answer.withheld && answer.withheld.length > 0 ? { withheld: answer.withheld } : {}
      return { state: 'done', failures: 0, answer: { status: 'answered', datasets, ...withheld }, problem: null }
    }
    case 'read_back':
      return answer.uncorrected.length === 0
        ? { state: 'done', failures: 0, answer: { status: 'answered', datasets: answer.datasets }, problem: null }
        : {
            state: 'failed',
            failures,
            problem: { code: 'not_corrected', detail: `The correction does not show in ${answer.uncorrected.join(', ')}.` },
          }
    case 'accepted':
      return {
        state: 'accepted',
        locationSealed: deps.vault.seal(answer.location, locationContext(task.id)),
        delaySeconds: (await callbackSeen(tx, task)) ? 0 : answer.retryAfterSeconds,
        problem: null,
      }
    case 'quarantined':
      return { state: 'quarantined', problem: { code: 'quarantined', detail: answer.reason } }
    case 'later':
      return later(answer.code, answer.detail, answer.afterSeconds)
    case 'failed':
      return { state: 'failed', failures: task.failures + 1, problem: { code: answer.code, detail: answer.detail } }
  }
}

/** Nobody is known there. That has to be so already before, or have come about by an erasure. */
async function changeForUnknown(tx: Tx, task: Task, later: (code: string, detail: string) => TaskChange): Promise<TaskChange> {
  const wrong = await contradictionIn(tx, task)
  const other = wrong && task.action === 'erase' ? await whoseErasure(tx, task) : undefined
  if (other && !other.isDone)
    return later('erased_elsewhere', `Request ${other.requestId} has it erased, and is not told yet that it was.`)
  if (wrong?.code === 'fewer_than_located' && !other && task.failures < RECOUNTS) return later(wrong.code, wrong.detail)
  // A copy is delivered with what is short in it named; a change that was never made has no such way to be told.
  if (wrong && !other && task.action !== 'collect') return { state: 'failed', failures: task.failures + 1, problem: wrong }
  const erasedFor = other ? { erasedFor: other.requestId } : {}
  return { state: 'done', answer: { status: 'unknown_person', datasets: [], ...erasedFor }, problem: null }
}

/** A call back may overtake the answer that accepted the task, or come while we ask in vain; an older one has been looked into. */
async function callbackSeen(tx: Tx, task: Task): Promise<boolean> {
  await lockTask(tx, task)
  const seen = await tx.query<unknown[]>('SELECT 1 FROM callback_seen WHERE task_id = $1 AND attempt = $2 LIMIT 1', [
    task.id,
    task.attempt,
  ])
  return seen.length > 0
}

async function keepWhatCame(
  deps: ReceiveDeps,
  tx: Tx,
  request: DsarRequest,
  task: Task,
  answer: Came,
  parts: SpooledPart[],
): Promise<void> {
  const by: Actor = { kind: 'adapter', id: task.adapter }
  if (task.action === 'resolve' && request.state !== 'verifying') {
    // Who was erased by another request meanwhile has not changed their address.
    if (answer.kind === 'resolved') await compareResolution(deps, tx, request, by, answer)
    else if ((await erasedElsewhere(tx, task, request.createdAt)).length === 0)
      await compareResolution(deps, tx, request, by, undefined)
  } else if (answer.kind === 'resolved') await keepResolution(deps, tx, task.requestId, by, answer)
  if (answer.kind === 'collected') await saveParts(deps, tx, task, parts)
  if (answer.kind === 'result') await noteTold(deps, tx, request, task, answer.recipients ?? [])
}
