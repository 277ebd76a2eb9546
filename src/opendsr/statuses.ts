import { Type } from 'typebox'
import { AdapterFault } from '../adapters/fault.ts'
import type { TaskCall } from '../adapters/protocol.ts'
import { readerOf } from '../adapters/read-json.ts'
import type { OutboundAnswer } from '../platform/outbound.ts'
import { readError } from './errors.ts'
import { readMoment } from './moment.ts'
import { addressOf, type Processor, readJson } from './processor.ts'
import { inShape, type SubjectRequest } from './subject-requests.ts'

/**
 * As what a processor is asked to do it. It has no word for the other actions: it cannot count, and `rectification`, which one
 * of them offers, has no form in which the correction could be sent. A copy of everything serves portability as well.
 */
export const TYPE_OF = { collect: 'access', erase: 'erasure' } as const satisfies Partial<Record<TaskCall['action'], string>>
type RequestType = (typeof TYPE_OF)[keyof typeof TYPE_OF]

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Optional(Type.Union([of, Type.Null()]))

const readReceipt = readerOf(
  Type.Object({ subject_request_id: nullable(Type.String()), expected_completion_time: Type.Optional(Type.Unknown()) }),
)
const readStatus = readerOf(
  Type.Object({
    subject_request_id: nullable(Type.String()),
    request_status: Type.String(),
    expected_completion_time: Type.Optional(Type.Unknown()),
    results_url: nullable(Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 100 })])),
    results_count: nullable(Type.Integer({ minimum: 0 })),
  }),
)

/** How far a processor is with one request, by its own word. */
export type Progress =
  | { kind: 'under_way'; expected?: Date | undefined; afterSeconds?: number | undefined }
  /** `resultsCount` is null where it does not say. */
  | { kind: 'completed'; id: string; resultUrls: readonly string[]; resultsCount: number | null }
  /** Of a copy: it looked, and found nobody. */
  | { kind: 'nothing' }

/** @returns undefined where it does not know the request @throws AdapterFault, OutboundError */
export async function askStatus(processor: Processor, { id }: SubjectRequest): Promise<Progress | undefined> {
  const answer = await processor.ask(addressOf(processor.baseUrl, `${processor.profile.requestsPath}/${id}`))
  if (answer.status !== 200) return notKnown(await readError(processor, answer))
  const said = readStatus(await readJson(answer, 'the status'), 'the status')
  requireSame(id, said.subject_request_id)
  switch (statusIn(processor, said.request_status)) {
    case 'pending':
    case 'in_progress':
      return { kind: 'under_way', expected: readMoment(said.expected_completion_time), afterSeconds: processor.afterSeconds() }
    case 'completed':
      return {
        kind: 'completed',
        id,
        resultUrls: [said.results_url ?? []].flat().filter(Boolean),
        resultsCount: said.results_count ?? null,
      }
    case 'cancelled':
      throw new AdapterFault('refused', 'the processor has cancelled the request')
    default:
      throw new AdapterFault('not_valid', 'the processor gives a status that is none')
  }
}

const STATUSES: readonly string[] = ['pending', 'in_progress', 'completed', 'cancelled']

function statusIn({ profile: { statuses } }: Processor, word: string): string | undefined {
  const meant = Object.hasOwn(statuses, word) ? statuses[word] : word
  return STATUSES.find(status => status === meant)
}

function notKnown(error: 'duplicate' | 'not_found'): undefined {
  if (error === 'duplicate') throw new AdapterFault('refused', 'asked how far it is, the processor speaks of a repetition')
}

export interface Submission {
  type: RequestType
  submittedAt: Date
  regulation?: string | undefined
  callbackUrl?: string | undefined
}

/** @returns `duplicate` where it has the request already, or another about the same person @throws AdapterFault, OutboundError */
export async function submit(
  processor: Processor,
  request: SubjectRequest,
  submission: Submission,
): Promise<Progress | 'duplicate'> {
  const { baseUrl, profile } = processor
  const url = addressOf(baseUrl, profile.requestsPath, { slash: profile.trailingSlash })
  const answer = await processor.ask(url, { method: 'POST', body: bodyOf(processor, request, submission) })
  if (isTaken(answer)) {
    const said = readReceipt(await readJson(answer, 'the receipt'), 'the receipt')
    requireSame(request.id, said.subject_request_id)
    return { kind: 'under_way', expected: readMoment(said.expected_completion_time), afterSeconds: processor.afterSeconds() }
  }
  const error = await readError(processor, answer)
  if (error === 'duplicate') return error
  throw new AdapterFault('unexpected_status', 'the processor takes no requests at this address')
}

const isTaken = ({ status }: OutboundAnswer): boolean => status === 200 || status === 201 || status === 202

function requireSame(id: string, said: string | null | undefined): void {
  if (said && said.toLowerCase() !== id) throw new AdapterFault('task_mismatch', 'the answer is to another request')
}

function bodyOf({ profile }: Processor, { id, identities }: SubjectRequest, { type, submittedAt, ...rest }: Submission) {
  const { regulation, callbackUrl } = rest
  return {
    ...profile.extraBody,
    ...(profile.sendRegulation && regulation && { regulation }),
    subject_request_id: id,
    subject_request_type: type,
    submitted_time: `${submittedAt.toISOString().slice(0, 19)}Z`,
    subject_identities: inShape(profile.identityShape, identities),
    api_version: profile.apiVersion,
    ...(profile.callback && callbackUrl && { status_callback_urls: [callbackUrl] }),
  }
}
