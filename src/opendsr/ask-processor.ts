import type { Readable } from 'node:stream'
import type { Answer } from '../adapters/answer.ts'
import type { AdapterCall } from '../adapters/call-adapter.ts'
import { CALL_LIMITS } from '../adapters/call-limits.ts'
import { startCollection } from '../adapters/collection.ts'
import { AdapterFault } from '../adapters/fault.ts'
import { judgeAnswer } from '../adapters/judge-answer.ts'
import type { TaskCall } from '../adapters/protocol.ts'
import { pollDelay } from '../adapters/retry.ts'
import { troubleWith } from '../adapters/trouble.ts'
import { millisecondsOf } from '../domain/duration.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import { addressOf, openProcessor, type Processor, type ProcessorDeps } from './processor.ts'
import { fetchResults, resultsOf } from './results.ts'
import { askStatus, type Progress, submit, TYPE_OF } from './statuses.ts'
import { placeOf, type SubjectRequest, subjectRequests } from './subject-requests.ts'

type Able = TaskCall['action'] & keyof typeof TYPE_OF
type ProgressOf<K extends Progress['kind']> = Extract<Progress, { kind: K }>

const isAble = (action: TaskCall['action']): action is Able => Object.hasOwn(TYPE_OF, action)

/** Asks a processor to do one task, or how far it is with it. What is thrown is our own trouble. */
export async function askProcessor(deps: ProcessorDeps, call: AdapterCall): Promise<Answer> {
  const { task, limits = CALL_LIMITS, signal } = call
  const { action } = task
  if (!isAble(action) || task.dryRun)
    return { kind: 'failed', code: 'not_supported', detail: `OpenDSR has no word for '${action}': this has to be done by hand.` }
  const processor = openProcessor(deps, call, { limits, signal })
  try {
    const requests = subjectRequests(processor.profile, task)
    const progress: Progress[] = []
    for (const request of requests) progress.push(await progressOf(deps, call, processor, request, action))
    const underWay = progress.filter(one => one.kind === 'under_way')
    if (underWay.length > 0) return accepted(deps, call, processor, requests, underWay)
    return action === 'erase' ? erased(task) : await fetchCopy(call, processor, progress)
  } catch (error) {
    return troubleWith(error, processor.afterSeconds())
  }
}

/** A request is made once: what the processor says it has already is adopted, whoever of us had forgotten it. */
async function progressOf(
  { clock }: ProcessorDeps,
  { task, location }: AdapterCall,
  processor: Processor,
  request: SubjectRequest,
  action: Able,
): Promise<Progress> {
  if (location !== undefined) {
    const known = await askStatus(processor, request)
    if (known) return known
    if (action === 'collect' && processor.profile.notFoundIsNoData) return { kind: 'nothing' }
  }
  const { regulation, callbackUrl } = task
  const taken = await submit(processor, request, { type: TYPE_OF[action], submittedAt: clock.now(), regulation, callbackUrl })
  if (taken !== 'duplicate') return taken
  const adopted = await askStatus(processor, request)
  if (adopted) return adopted
  throw new AdapterFault('busy', 'the processor has another request about the person, which has to end first')
}

function accepted(
  { clock }: { clock: Clock },
  { task }: AdapterCall,
  { baseUrl, profile }: Processor,
  requests: readonly SubjectRequest[],
  underWay: readonly ProgressOf<'under_way'>[],
): Answer {
  const now = realTime(clock)
  const waits = underWay.map(({ afterSeconds, expected }) => {
    const left = expected ? (expected.getTime() - now.getTime()) / 1000 : 0
    return afterSeconds ?? (left > 0 ? left : millisecondsOf(profile.pollEvery) / 1000)
  })
  return {
    kind: 'accepted',
    location: placeOf(addressOf(baseUrl, `${profile.requestsPath}/${requests[0]?.id}`), requests),
    retryAfterSeconds: pollDelay({ now: clock.now(), dueAt: new Date(task.dueAt), retryAfter: Math.min(...waits) }),
  }
}

/** It speaks of whom it was asked about: its answer goes by the id of a request that named them and nobody else. */
const erased = (task: TaskCall): Answer =>
  judgeAnswer(task, {
    taskId: task.taskId,
    matched: task.subject.identities,
    datasets: task.scope.datasets.map(name => ({ name, outcome: 'completed' })),
  })

async function fetchCopy(
  { task, sink, limits = CALL_LIMITS }: AdapterCall,
  processor: Processor,
  progress: readonly Progress[],
): Promise<Answer> {
  const completed = progress.filter(one => one.kind === 'completed')
  if (completed.length === 0) return { kind: 'unknown' }
  if (!sink) throw new Error('A collect needs a sink.')
  const [dataset = ''] = task.scope.datasets
  const opened = new Map<string, Readable>()
  const collection = startCollection(task, limits, sink, async ({ url = '' }) => opened.get(url) as Readable)
  let files = 0
  for (const url of completed.flatMap(one => resultsOf(processor, one))) {
    const fetched = await fetchResults(processor, url, limits.fileBytes)
    if (!fetched) continue
    opened.set(url, fetched.content)
    await collection.file(dataset, fetched)
    files += 1
  }
  return collection.end({ matched: task.subject.identities, counts: { [dataset]: files } })
}
