import { CALL_LIMITS } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import { type DatasetAnswer, Result } from './protocol.ts'
import { readerOf } from './read-json.ts'
import { parseStatement } from './strict-json.ts'

/** What is said to have come of a dataset. */
export type Outcome = Pick<DatasetAnswer, 'name' | 'outcome' | 'count'>

const readResult = readerOf(Result)

/**
 * What a call back says came of a task, where it brings a result. The result itself is fetched: this is only held against it.
 * Undefined for the mere word that something is ready, and for whatever else it may be.
 */
export function announcedIn(rawBody: Buffer, taskId: string): Outcome[] | undefined {
  try {
    const result = readResult(parseStatement(rawBody, CALL_LIMITS.depth, 'the call back'), 'the call back')
    if (result.taskId !== taskId) return undefined
    return result.datasets.map(({ name, outcome, count = 0 }) => ({ name, outcome, count }))
  } catch (error) {
    if (error instanceof AdapterFault) return undefined
    throw error
  }
}
