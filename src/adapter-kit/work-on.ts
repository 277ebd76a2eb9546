import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'
import { type AnnounceDeps, announce } from './callback.ts'
import { TaskProblem } from './problem.ts'
import type { Manifest, Task } from './protocol.ts'
import { READ_ACTIONS } from './protocol.ts'
import type { Work, Workbench } from './workbench.ts'

export interface WorkDeps extends AnnounceDeps {
  manifest: Manifest
  workbench: Workbench
  answer(task: Task, signal: AbortSignal): Promise<Answer>
  /** ms; see AdapterDefinition. */
  answerWithin: number
  /** Seconds. */
  pollEvery: number
  publicUrl: string | undefined
  /** The path under which the calls come in, without a slash at its end. */
  prefix: string
}

/** @throws TaskProblem 415 */
export function requireJson({ headers }: IncomingMessage): void {
  if (!headers['content-type']?.startsWith('application/json'))
    throw new TaskProblem(415, 'unsupported_media_type', 'Send application/json.')
}

/** Works on a task for as long as the caller waits. What takes longer goes on, and is promised. */
export async function workOn(deps: WorkDeps, req: IncomingMessage, task: Task): Promise<{ work: Work; isPromised: boolean }> {
  const work = deps.workbench.take(task, signal => deps.answer(task, signal))
  const inTime = await settledWithin(mayPromise(req) ? 0 : deps.answerWithin, work)
  if (inTime) {
    // Reading again is harmless and fresher; only what had an effect is remembered, and nobody's data longer than needed.
    if (!work.promised && READ_ACTIONS.some(action => action === task.action)) deps.workbench.drop(work)
    return { work, isPromised: false }
  }
  if (!work.promised) void announce(deps, work)
  work.promised = true
  return { work, isPromised: true }
}

/** Where the answer can be fetched, at the address we are called by, unless told otherwise: whoever signs the call chose it. */
export const locationOf = (deps: WorkDeps, req: IncomingMessage, { id }: Work): string => `${baseOf(deps, req)}/tasks/${id}`

/** RFC 7240: whoever calls would rather come back for the answer. Unsigned, but there is no harm in it. */
const mayPromise = ({ headers }: IncomingMessage): boolean => /\brespond-async\b/i.test(String(headers.prefer ?? ''))

export const baseOf = ({ publicUrl, prefix }: Pick<WorkDeps, 'publicUrl' | 'prefix'>, req: IncomingMessage): string =>
  publicUrl?.replace(/\/$/, '') ?? `${'encrypted' in req.socket ? 'https' : 'http'}://${req.headers.host}${prefix}`

function settledWithin(ms: number, work: Work): Promise<boolean> | boolean {
  if (work.state !== 'working' || ms === 0) return work.state !== 'working'
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms, false)
    const settled = () => {
      clearTimeout(timer)
      resolve(true)
    }
    work.answer.then(settled, settled)
  })
}
