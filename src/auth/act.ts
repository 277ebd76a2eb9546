import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Tx } from '../platform/database.ts'
import { answered, type Deps, once, type StoredAnswer } from '../platform/idempotency.ts'
import { useTokenOnce } from './one-shot.ts'
import { requestKey, sendAnswer } from './request-key.ts'

/**
 * Does what a call asks for in one transaction with its answer, once per Idempotency-Key where the caller sent one, and once per
 * token where the route is declared to be a one-shot.
 */
export async function act(
  deps: Deps,
  req: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Tx) => Promise<StoredAnswer>,
): Promise<void> {
  return actAndSettle(deps, req, reply, work, async () => {})
}

/** `act`, for a body that was read as it came: `asked` stands for what was in it. */
export async function actOn(
  deps: Deps,
  req: FastifyRequest,
  reply: FastifyReply,
  asked: unknown,
  work: (tx: Tx) => Promise<StoredAnswer>,
): Promise<void> {
  const call = requestKey(req, asked)
  return sendAnswer(reply, call ? await once(deps, call, work) : await deps.transact(work))
}

/** `act`, for an answer that waits until what its commit sets off has settled; the answer given again waits as well. */
export async function actAndSettle(
  deps: Deps,
  req: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Tx) => Promise<StoredAnswer>,
  settle: () => Promise<void>,
): Promise<void> {
  const call = requestKey(req)
  const working = req.routeOptions.config.oneShot ? usingUpToken(req, work) : work
  const answer = call ? await once(deps, call, working) : await deps.transact(working)
  await settle()
  return sendAnswer(reply, answer)
}

/** `actAndSettle`, for what has to be found out outside of the transaction first; not again for a call that was answered before. */
export async function actAfter<T>(
  deps: Deps,
  req: FastifyRequest,
  reply: FastifyReply,
  prepare: () => Promise<T>,
  work: (tx: Tx, prepared: T) => Promise<StoredAnswer>,
  settle: () => Promise<void> = async () => {},
): Promise<void> {
  const call = requestKey(req)
  const before = call && (await answered(deps, call))
  if (before) return sendAnswer(reply, { ...before, replayed: true })
  const prepared = await prepare()
  return actAndSettle(deps, req, reply, tx => work(tx, prepared), settle)
}

const usingUpToken =
  (req: FastifyRequest, work: (tx: Tx) => Promise<StoredAnswer>) =>
  async (tx: Tx): Promise<StoredAnswer> => {
    await useTokenOnce(tx, req)
    return work(tx)
  }
