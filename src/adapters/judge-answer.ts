import type { Answer } from './answer.ts'
import { AdapterFault } from './fault.ts'
import { requireImpersonal } from './impersonal.ts'
import { type DatasetAnswer, type Identity, ResolveAnswer, Result, type TaskCall } from './protocol.ts'
import { readerOf } from './read-json.ts'
import { requireExplained } from './retained.ts'

const readResult = readerOf(Result)
const readResolveAnswer = readerOf(ResolveAnswer)

/**
 * Judges an answer in one JSON document, whether it was returned or sent to us later, against the task it answers.
 * @throws AdapterFault
 */
export function judgeAnswer(task: TaskCall, json: unknown): Answer {
  if (task.action === 'resolve') {
    const { taskId, ...resolved } = readResolveAnswer(json, 'the answer')
    requireSameTask(task, taskId)
    return quarantineFor(task, resolved.matched) ?? { kind: 'resolved', ...resolved }
  }
  const { taskId, ...result } = readResult(json, 'the answer')
  requireSameTask(task, taskId)
  const quarantine = quarantineFor(task, result.matched)
  if (quarantine) return quarantine
  const { datasets, recipients = [] } = result
  requireScope(task, new Set(datasets.map(dataset => dataset.name)), datasets)
  requireImpersonal(task, datasets)
  const contradicted = datasets.find(({ outcome, count = 0 }) => outcome === 'no_data' && count > 0)
  if (contradicted) throw new AdapterFault('outcome_contradicted', `${contradicted.name} has no data, and yet a count`)
  if (task.action === 'locate') requireCounts(datasets)
  for (const dataset of datasets) if (dataset.outcome === 'retained') requireExplained(task, dataset)
  if (new Set(recipients.map(({ name }) => name)).size < recipients.length)
    throw new AdapterFault('recipient_repeated', 'the answer names a recipient twice')
  return { kind: 'result', ...result }
}

/** An answer to another task is not ours to use. */
export function requireSameTask(task: TaskCall, taskId: string): void {
  if (taskId !== task.taskId) throw new AdapterFault('task_mismatch', 'the answer is to another task')
}

/** Somebody else's data must never leave: `matched` names at least one identity, and only such as were asked about. */
export function quarantineFor(
  task: TaskCall,
  matched: readonly Identity[],
): Extract<Answer, { kind: 'quarantined' }> | undefined {
  if (matched.length === 0) return { kind: 'quarantined', reason: 'the answer does not say whom it is about' }
  const { identities } = task.subject
  const wasAsked = (one: Identity) => identities.some(({ type, value }) => type === one.type && value === one.value)
  return matched.every(wasAsked)
    ? undefined
    : { kind: 'quarantined', reason: 'the answer is about an identity that was not asked about' }
}

/** Every dataset in scope is answered, once, and no other: what is missing is missing, not empty. */
export function requireScope({ scope }: TaskCall, named: ReadonlySet<string>, datasets: readonly DatasetAnswer[]): void {
  const missing = scope.datasets.filter(name => !named.has(name))
  if (missing.length > 0) throw new AdapterFault('dataset_missing', `nothing is said of ${missing.join(', ')}`)
  if ([...named].some(name => !scope.datasets.includes(name))) {
    throw new AdapterFault('dataset_unknown', 'the answer names a dataset that was not asked for')
  }
  if (new Set(datasets.map(dataset => dataset.name)).size < datasets.length) {
    throw new AdapterFault('dataset_repeated', 'the answer names a dataset twice')
  }
}

/** What is located is counted: the plan and the check after an erasure rest on it. */
function requireCounts(datasets: readonly DatasetAnswer[]): void {
  const uncounted = datasets.find(({ outcome, count }) => outcome === 'completed' && count === undefined)
  if (uncounted) throw new AdapterFault('not_valid', `${uncounted.name} is located but not counted`)
}
