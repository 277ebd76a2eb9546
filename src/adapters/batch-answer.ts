import { Type } from 'typebox'
import type { OutboundAnswer } from '../platform/outbound.ts'
import { CALL_LIMITS, type CallLimits } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import type { TaskCall } from './protocol.ts'
import { mediaTypeOf, readerOf, readWhole } from './read-json.ts'
import { parseStatement } from './strict-json.ts'
import { faultOf } from './trouble.ts'

/** However many an adapter takes: so that the answer can be read in one piece. */
export const MOST = 100

const BatchAnswer = Type.Object({
  answers: Type.Array(
    Type.Object({
      taskId: Type.String({ maxLength: 128 }),
      /** Of HTTP, as if the task had been asked alone. */
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      location: Type.Optional(Type.String({ maxLength: 4096 })),
      /** Seconds. */
      retryAfter: Type.Optional(Type.Integer({ minimum: 0 })),
      body: Type.Optional(Type.Unknown()),
    }),
    { maxItems: MOST },
  ),
})
export type Entry = Type.Static<typeof BatchAnswer>['answers'][number]
const readBatchAnswer = readerOf(BatchAnswer)

/** @throws AdapterFault for an answer that names a task twice, or one that was not asked: it says nothing that could be relied on */
export async function readBatch(
  answer: OutboundAnswer,
  tasks: readonly TaskCall[],
  limits: CallLimits = CALL_LIMITS,
): Promise<ReadonlyMap<string, Entry>> {
  const isReadable = answer.status === 200 && mediaTypeOf(answer) === 'application/json'
  if (!isReadable) answer.discard()
  if (answer.status !== 200) throw faultOf(answer.status)
  if (!isReadable) throw new AdapterFault('unexpected_media_type', 'the answer is not JSON')
  const json = parseStatement(await readWhole(answer.body, limits), limits.depth, 'the answer')
  const { answers } = readBatchAnswer(json, 'the answer')
  const entries = new Map(answers.map(entry => [entry.taskId, entry]))
  const asked = new Set(tasks.map(({ taskId }) => taskId))
  if (entries.size < answers.length || answers.some(({ taskId }) => !asked.has(taskId)))
    throw new AdapterFault('task_mismatch', 'the answer names a task twice, or one that was not asked')
  return entries
}
