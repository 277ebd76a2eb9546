import { createHash } from 'node:crypto'
import { readParameters, requireCorrectable } from './parameters.ts'
import { TaskProblem } from './problem.ts'
import type { Action, Identity, Manifest, Task } from './protocol.ts'

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/**
 * Reads a task. Without a scope it is about every dataset; the scope of the returned task always names them.
 * @throws TaskProblem 400 for what is no task, 422 for one this adapter cannot do: an action, a dataset, a field or only
 * identities it doesn't know of. Saying "unknown person" to the last would claim more than was looked at.
 */
export function readTask(body: string, manifest: Manifest): Task {
  const json = objectIn(body)
  if (!isText(json.taskId) || !isText(json.requestId)) throw invalid('/taskId and /requestId are needed.')
  const action = manifest.actions.find(known => known === json.action)
  if (!action) throw new TaskProblem(422, 'unknown_action', 'This adapter does not do this action; see its manifest.')
  const scope = { datasets: readScope(json.scope, manifest) }
  const parameters = readParameters(action, isObject(json.parameters) ? json.parameters : {})
  const text = (name: string) => (isText(json[name]) ? { [name]: json[name] } : {})
  const task: Task = {
    taskId: json.taskId,
    requestId: json.requestId,
    action,
    attempt: typeof json.attempt === 'number' ? json.attempt : 1,
    dryRun: json.dryRun === true,
    subject: { identities: readIdentities(json.subject, manifest) },
    scope,
    parameters,
    ...text('dueAt'),
    ...text('callbackUrl'),
    ...text('regulation'),
    ...text('legalGround'),
  }
  if (isTask('rectify', task)) requireCorrectable(task, manifest)
  return task
}

export const isTask = <A extends Action>(action: A, task: Task): task is Task<A> => task.action === action

/** What makes two tasks of one id the same: everything but what may change from one try to the next. */
export function fingerprint({ attempt: _attempt, dueAt: _dueAt, callbackUrl: _callbackUrl, ...same }: Task): string {
  const sorted = (_key: string, value: unknown) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
  return createHash('sha256').update(JSON.stringify(same, sorted)).digest('base64url')
}

function readIdentities(subject: unknown, manifest: Manifest): Identity[] {
  const identities = isObject(subject) ? subject.identities : undefined
  if (!Array.isArray(identities) || identities.length === 0 || !identities.every(isIdentity))
    throw invalid('/subject/identities is a list of at least one { type, value }.')
  const understood = manifest.identityTypes.map(identity => identity.type)
  if (!identities.some(identity => understood.includes(identity.type)))
    throw new TaskProblem(422, 'no_usable_identity', `This adapter finds people by ${understood.join(', ')} only.`)
  return identities
}

function readScope(scope: unknown, manifest: Manifest): string[] {
  const names = manifest.datasets.map(dataset => dataset.name)
  const asked = isObject(scope) ? scope.datasets : undefined
  if (asked === undefined) return names
  if (!Array.isArray(asked) || !asked.every(isText)) throw invalid('/scope/datasets is a list of names.')
  const unknown = asked.filter(name => !names.includes(name))
  if (unknown.length > 0) throw new TaskProblem(422, 'unknown_dataset', `Not in the manifest: ${unknown.join(', ')}.`)
  return [...new Set(asked)]
}

function isIdentity(value: unknown): value is Identity {
  if (!isObject(value) || !isText(value.type) || !isText(value.value)) return false
  return value.format === undefined || value.format === 'raw' || value.format === 'sha256'
}

function objectIn(body: string): Json {
  try {
    const json: unknown = JSON.parse(body)
    if (isObject(json)) return json
  } catch {
    // falls through to the one answer for everything that isn't a JSON object
  }
  throw invalid('The body is a JSON object.')
}

const invalid = (detail: string) => new TaskProblem(400, 'invalid_request', detail)
