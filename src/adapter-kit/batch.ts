import type { IncomingMessage, ServerResponse } from 'node:http'
import { problemBody, TaskProblem } from './problem.ts'
import { sendJson } from './send.ts'
import { readTask } from './task.ts'
import { locationOf, requireJson, type WorkDeps, workOn } from './work-on.ts'

/** The answer to one task of several: the status it would have had alone, and what else there would have been. */
interface Entry {
  taskId: string
  status: number
  location?: string
  retryAfter?: number
  body?: object
}

/** Does several tasks, all at once, each as if it had come alone. */
export async function takeBatch(deps: WorkDeps, req: IncomingMessage, body: string, res: ServerResponse): Promise<void> {
  requireJson(req)
  const answers = await Promise.all(tasksIn(body, deps.manifest.limits.batch ?? 1).map(task => answerOf(deps, req, task)))
  sendJson(res, 200, { answers })
}

async function answerOf(deps: WorkDeps, req: IncomingMessage, given: Given): Promise<Entry> {
  const { taskId } = given
  try {
    const task = readTask(JSON.stringify(given), deps.manifest)
    if (task.action === 'collect' && !task.dryRun)
      throw new TaskProblem(422, 'asked_alone', 'A copy comes as a stream: it is asked for alone.')
    const { work, isPromised } = await workOn(deps, req, task)
    if (isPromised) return { taskId, status: 202, location: locationOf(deps, req, work), retryAfter: deps.pollEvery }
    const answer = await work.answer
    return answer.kind === 'result' ? { taskId, status: 200, body: answer.body } : { taskId, status: 204 }
  } catch (error) {
    if (!(error instanceof TaskProblem)) deps.onError(error)
    const problem = error instanceof TaskProblem ? error : new TaskProblem(500, 'internal', 'Something went wrong here.')
    const { status, retryAfter } = problem
    return { taskId, status, body: problemBody(problem), ...(retryAfter !== undefined && { retryAfter }) }
  }
}

interface Given {
  taskId: string
}

/** @throws TaskProblem 400, for the whole: without its id nothing can be said of a task */
function tasksIn(body: string, most: number): Given[] {
  const tasks = parsed(body)
  if (!Array.isArray(tasks) || tasks.length === 0 || tasks.length > most || !tasks.every(isGiven))
    throw new TaskProblem(400, 'invalid_request', `/tasks is a list of 1 to ${most} tasks, each with its id.`)
  if (new Set(tasks.map(({ taskId }) => taskId)).size < tasks.length)
    throw new TaskProblem(400, 'invalid_request', 'A task is in a batch once.')
  return tasks
}

const isGiven = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && 'taskId' in value && typeof value.taskId === 'string' && value.taskId !== ''

function parsed(body: string): unknown {
  try {
    const json: unknown = JSON.parse(body)
    return typeof json === 'object' && json !== null && 'tasks' in json ? json.tasks : undefined
  } catch {
    return undefined
  }
}
