import type { RecordedEntry } from '../audit/entries.ts'
import { isDecision } from '../audit/events.ts'
import { packageOf } from '../delivery/packages.store.ts'
import type { DsarRequest } from '../domain/request.ts'
import { type Attachment, attachmentsOf } from '../messages/attachments.store.ts'
import { jsonFile, type TagFile } from '../packaging/bag.ts'
import type { Tx } from '../platform/database.ts'
import { ledgerOf } from '../requests/clock-ledger.store.ts'
import { type ClocksDeps, clocksOf } from '../requests/clocks-of.ts'
import { messageDigestsOf } from '../requests/messages.store.ts'
import { type Task, tasksOf } from '../tasks/tasks.store.ts'

/** What is known of a case that says nothing of the person and shows nothing of what was collected, a file for each matter. */
export async function factsOf(
  deps: ClocksDeps,
  tx: Tx,
  request: DsarRequest,
  entries: readonly RecordedEntry[],
): Promise<TagFile[]> {
  return [
    jsonFile('request.json', requestFacts(request)),
    jsonFile('clocks.json', { clocks: clocksOf(deps, request, await ledgerOf(tx, request.id)) }),
    jsonFile('decisions.json', { decisions: entries.filter(({ event }) => isDecision(event)).map(decisionFacts) }),
    jsonFile('notices.json', { notices: await noticesOf(tx, request.id) }),
    jsonFile('messages.json', { messages: await messageDigestsOf(tx, request.id) }),
    jsonFile('attachments.json', { attachments: (await attachmentsOf(tx, request.id)).map(attachmentFacts) }),
    jsonFile('tasks.json', { tasks: (await tasksOf(tx, request.id)).map(taskFacts) }),
    jsonFile('sealed-package.json', { package: await packageFacts(tx, request.id) }),
  ]
}

const decisionFacts = ({ seq, at, actorKind, actorId, event, facts }: RecordedEntry) => ({
  seq,
  at,
  by: { kind: actorKind, id: actorId },
  event,
  facts,
})

/** The case without the person: not even the place or the language, which few others may share. */
function requestFacts(request: DsarRequest) {
  const { id, right, state, flags, channel, relationship, scope, policyVersion, completeness } = request
  const { receivedAt, createdAt, closedAt, dueOn, legalDueOn, assurance, assuranceNeeded } = request
  return {
    ...{ id, right, state, flags, channel, relationship, scope, policyVersion, completeness },
    ...{ receivedAt, createdAt, closedAt, dueOn, legalDueOn, assurance: { needed: assuranceNeeded, reached: assurance } },
  }
}

/** To whom a letter went and what it said is not known any more once it has been sent, and is nobody's business before. */
const noticesOf = (tx: Tx, requestId: string): Promise<unknown[]> =>
  tx.query(
    `SELECT kind, state, created_at AS "createdAt", sent_at AS "sentAt", attempts, message_id AS "messageId"
     FROM letter WHERE request_id = $1 ORDER BY id`,
    [requestId],
  )

/** That there was a file, by its digest, and what became of it; not what it was called. */
const attachmentFacts = ({ requestId: _ours, nameSealed: _name, ...told }: Attachment) => told

/** What an adapter wrote in words of its own stays out. */
const taskFacts = ({ id, adapter, action, round, state, attempt, startedAt, finishedAt, answer, problem, config }: Task) => ({
  ...{ id, adapter, action, round, state, attempts: attempt, startedAt, finishedAt },
  asked: config.datasets.map(({ name }) => name),
  answer: answer && {
    status: answer.status,
    datasets: answer.datasets.map(({ name, outcome, count, reason, until }) => ({ name, outcome, count, reason, until })),
  },
  problem: problem && { code: problem.code, at: problem.at },
})

async function packageFacts(tx: Tx, requestId: string) {
  const sealed = await packageOf(tx, requestId)
  if (!sealed) return null
  const { bytes, sha256, entries, manifestSha256, sealedAt, expiresAt, revokedAt, destroyedAt } = sealed
  return { bytes, sha256, entries, manifestSha256, sealedAt, expiresAt, revokedAt, destroyedAt }
}
