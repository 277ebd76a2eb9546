import { type Clock, realTime } from '../platform/clock.ts'
import type { Outbound, OutboundAnswer } from '../platform/outbound.ts'
import type { Answer } from './answer.ts'
import { CALL_LIMITS, type CallLimits } from './call-limits.ts'
import { readCollectDocument } from './collect-document.ts'
import { type CollectSink, readCollectStream } from './collect-stream.ts'
import { type OpenFile, startCollection } from './collection.ts'
import { AdapterFault } from './fault.ts'
import { type Contact, endpoint } from './fetch-manifest.ts'
import { judgeAnswer } from './judge-answer.ts'
import { fileOpener } from './open-file.ts'
import type { TaskCall } from './protocol.ts'
import { mediaTypeOf, readWhole } from './read-json.ts'
import { parseRetryAfter, pollDelay } from './retry.ts'
import { signCall } from './signing.ts'
import { parseStatement } from './strict-json.ts'
import { faultOf, LOST, troubleWith } from './trouble.ts'

export interface CallDeps {
  outbound: Pick<Outbound, 'request' | 'keepsFiles'>
  clock: Clock
}

/** What is asked of an adapter, and how. Of the contact this kind needs the address and the secrets. */
export interface AdapterCall extends Contact {
  task: TaskCall
  /** How many tasks it takes in one call; one unless told. */
  batch?: number
  /** Where an earlier call said it can be polled. */
  location?: string
  /** Needed for a collect that is not dry. */
  sink?: CollectSink
  limits?: CallLimits
  signal?: AbortSignal
}

export type ServiceCall = Omit<AdapterCall, 'credentials' | 'settings'>
type Call = ServiceCall & { limits: CallLimits }

/**
 * Asks an adapter to do one task, or how far it is with it, and says what its answer comes to. Whatever the adapter sends is
 * told as an `Answer`; what is thrown is our own trouble (the sink's, a mistake in the call).
 */
export async function callAdapter(deps: CallDeps, { limits = CALL_LIMITS, ...asked }: ServiceCall): Promise<Answer> {
  const call = { ...asked, limits }
  let afterSeconds: number | undefined
  try {
    const { url, answer } = await ask(deps, call)
    afterSeconds = parseRetryAfter(answer.headers['retry-after'], realTime(deps.clock))
    return await read(deps, call, { url, answer }, afterSeconds)
  } catch (error) {
    return troubleWith(error, afterSeconds)
  }
}

/** What was answered, and by which address. */
interface Answered {
  url: string
  answer: OutboundAnswer
}

/** A task that its location no longer knows (the adapter was restarted) is sent again: its id makes that harmless. */
async function ask(deps: CallDeps, call: Call): Promise<Answered> {
  if (call.location !== undefined) {
    const url = locationOf(call, call.location)
    const answer = await request(deps, call, 'GET', url)
    if (!LOST.has(answer.status)) return { url, answer }
    answer.discard()
  }
  const url = endpoint(call.baseUrl, 'tasks')
  return { url, answer: await request(deps, call, 'POST', url) }
}

function request({ outbound, clock }: CallDeps, { task, secrets, limits, signal }: Call, method: 'GET' | 'POST', url: string) {
  const { headersMs, idleMs, totalMs } = limits
  const body = method === 'POST' ? JSON.stringify(task) : ''
  return outbound.request({
    method,
    url,
    headers: {
      accept: collects(task) ? 'application/x-ndjson, application/json' : 'application/json',
      'idempotency-key': task.taskId,
      ...signCall(secrets, task.taskId, realTime(clock), body),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body }),
    limits: { headersMs, idleMs, totalMs, bytes: collects(task) ? limits.streamBytes : limits.jsonBytes },
    ...(signal && { signal }),
  })
}

/** A dry collect hands nothing over: it is answered with counts, as `locate` is. */
export const collects = (task: TaskCall): boolean => task.action === 'collect' && !task.dryRun

async function read(deps: CallDeps, call: Call, { url, answer }: Answered, retryAfter: number | undefined): Promise<Answer> {
  if (answer.status === 200) return readBody(deps, call, answer)
  answer.discard()
  return meaningOf(deps, call, { status: answer.status, location: answer.headers.location ?? call.location, retryAfter }, url)
}

/** How a task was answered, with the seconds after which to come back. */
interface Told {
  status: number
  location?: string | undefined
  retryAfter?: number | undefined
}

/** What an answer without a result means, given by an address of the adapter. @throws AdapterFault for all that no protocol lists */
export function meaningOf(
  { clock }: Pick<CallDeps, 'clock'>,
  { baseUrl, task }: Pick<AdapterCall, 'baseUrl' | 'task'>,
  { status, location, retryAfter }: Told,
  givenBy: string,
): Answer {
  if (status === 204) return { kind: 'unknown' }
  if (status !== 202) throw faultOf(status)
  return {
    kind: 'accepted',
    location: locationOf({ baseUrl }, location, givenBy),
    retryAfterSeconds: pollDelay({ now: clock.now(), dueAt: new Date(task.dueAt), retryAfter }),
  }
}

async function readBody(deps: CallDeps, call: Call, answer: OutboundAnswer): Promise<Answer> {
  try {
    const openFile = fileOpener(deps, { ...call, taskId: call.task.taskId })
    return await readAnswer(call.task, { mediaType: mediaTypeOf(answer), body: answer.body }, call, openFile)
  } catch (error) {
    if (error instanceof AdapterFault && error.code === 'unexpected_media_type') answer.discard()
    throw error
  }
}

/** Reads a whole answer to a task, wherever it came from. @throws AdapterFault; whatever the body and the sink throw */
export async function readAnswer(
  task: TaskCall,
  { mediaType, body }: { mediaType: string | undefined; body: AsyncIterable<Buffer> },
  { limits, sink }: { limits: CallLimits; sink?: CollectSink },
  openFile: OpenFile,
): Promise<Answer> {
  const isStream = mediaType === 'application/x-ndjson' && collects(task)
  if (!isStream && mediaType !== 'application/json')
    throw new AdapterFault('unexpected_media_type', 'the answer is neither JSON nor, to a collect, NDJSON')
  if (!collects(task)) return judgeAnswer(task, parseStatement(await readWhole(body, limits), limits.depth, 'the answer'))
  if (!sink) throw new Error('A collect needs a sink.')
  const collection = startCollection(task, limits, sink, openFile)
  return isStream ? readCollectStream(body, collection) : readCollectDocument(await readWhole(body, limits), collection)
}

/**
 * A `Location` is relative to the address that gave it (RFC 9110, 10.2.2). Polls are signed, so they go nowhere but to the adapter itself.
 * @throws AdapterFault `location_refused`
 */
export function locationOf(
  { baseUrl }: Pick<Contact, 'baseUrl'>,
  location: string | undefined,
  givenBy = endpoint(baseUrl, 'tasks'),
): string {
  const url = location === undefined ? null : URL.parse(location, givenBy)
  if (!url || url.username || url.password || url.origin !== new URL(baseUrl).origin) {
    throw new AdapterFault('location_refused', 'the location of the task is missing, or not at the adapter')
  }
  return url.href
}
