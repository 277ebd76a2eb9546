import type { Answer } from './answer.ts'
import { CALL_LIMITS } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import { judgeAnswer } from './judge-answer.ts'
import type { TaskCall } from './protocol.ts'
import { isObject, parseStrictly } from './strict-json.ts'

/** The adapter is done, and its location now gives the answer. */
export interface Ready {
  kind: 'ready'
}

/**
 * Reads what an adapter sends to a task's callback, once its signature was verified. Data never come this way, nor does an address
 * to fetch them from: only a result, or word that the location we already know now has the answer.
 */
export function readCallback(task: TaskCall, rawBody: Buffer): Answer | Ready {
  try {
    const json = parseStrictly(rawBody, CALL_LIMITS.depth, 'the callback')
    if (isObject(json) && json.status === 'done' && json.taskId === task.taskId) return { kind: 'ready' }
    if (task.action === 'collect') throw new AdapterFault('not_valid', 'a collect is answered at its location')
    return judgeAnswer(task, json)
  } catch (error) {
    if (!(error instanceof AdapterFault)) throw error
    return { kind: 'failed', code: error.code, detail: error.detail }
  }
}
