import type { CancelCall, Cancelled } from '../adapters/cancel-task.ts'
import { AdapterFault } from '../adapters/fault.ts'
import { OutboundError } from '../platform/outbound.ts'
import { readError } from './errors.ts'
import { addressOf, openProcessor, type Processor, type ProcessorDeps } from './processor.ts'
import { idsOf, requestsBehind } from './subject-requests.ts'

const LIMITS = { headersMs: 10_000, idleMs: 10_000, totalMs: 20_000 }

/** Cancels the requests of a task, as can be done for as long as they are `pending`. Given up is only what all of them were. */
export async function cancelRequests(deps: ProcessorDeps, { taskId, location, ...contact }: CancelCall): Promise<Cancelled> {
  const processor = openProcessor(deps, contact, { limits: LIMITS })
  const cancelled: Cancelled[] = []
  for (const id of idsOf(taskId).slice(0, requestsBehind(location))) cancelled.push(await cancelOne(processor, id))
  return cancelled.find(one => one === 'not_reached') ?? cancelled.find(one => one === 'goes_on') ?? 'given_up'
}

async function cancelOne(processor: Processor, id: string): Promise<Cancelled> {
  try {
    const url = addressOf(processor.baseUrl, `${processor.profile.requestsPath}/${id}`)
    const answer = await processor.ask(url, { method: 'DELETE' })
    if (answer.status >= 200 && answer.status < 300) {
      answer.discard()
      return 'given_up'
    }
    return (await readError(processor, answer)) === 'not_found' ? 'given_up' : 'goes_on'
  } catch (error) {
    if (!(error instanceof OutboundError || error instanceof AdapterFault)) throw error
    return error.retryable ? 'not_reached' : 'goes_on'
  }
}
