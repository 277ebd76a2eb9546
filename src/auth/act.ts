import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Tx } from '../platform/database.ts'
import { type Deps, once, type StoredAnswer } from '../platform/idempotency.ts'
import { requestKey, sendAnswer } from './request-key.ts'

/** Does what a call asks for in one transaction with its answer, once per Idempotency-Key where the caller sent one. */
export async function act(
  deps: Deps,
  req: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Tx) => Promise<StoredAnswer>,
): Promise<void> {
  const call = requestKey(req)
  return sendAnswer(reply, call ? await once(deps, call, work) : await deps.transact(work))
}
