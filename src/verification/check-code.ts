import { timingSafeEqual } from 'node:crypto'
import { type Recorder, requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import type { Clock } from '../platform/clock.ts'
import type { Transact, Tx } from '../platform/database.ts'
import * as challenges from './challenges.store.ts'
import { codeMac, TRIES } from './send-challenge.ts'

export interface CheckDeps {
  vault: { mac(purpose: string, value: string): Buffer }
  clock: Clock
  record: Recorder
  transact: Transact
  /** Counts a wrong code, here and over the fleet. */
  onCodeRefused(): Promise<void>
}

/**
 * Counts a try and compares the code: the count commits whatever comes of it. Returns the challenge to be used up in the
 * transaction that acts on the proof.
 * @throws Problem `proof_refused`, the same whether the code was wrong, late, worn out, used, or never sent.
 */
export async function checkCode(
  deps: CheckDeps,
  requestId: string,
  purpose: challenges.Purpose,
  typed: string,
  by: Actor,
): Promise<{ challengeId: string }> {
  const challenge = await deps.transact(tx => challenges.countTry(tx, requestId, purpose))
  const given = codeMac(deps, requestId, purpose, typed)
  const right =
    challenge !== undefined &&
    timingSafeEqual(given, challenge.codeMac) &&
    challenge.tries <= TRIES &&
    deps.clock.now() < challenge.expiresAt
  if (right) return { challengeId: challenge.id }
  await deps.onCodeRefused()
  if (challenge && challenge.tries <= TRIES)
    await deps.transact(tx =>
      deps.record(tx, requestStream(requestId), by, 'code_refused', { challengeId: challenge.id, tries: challenge.tries }),
    )
  throw refused()
}

/** Uses the code up; of two who come with the same right code, one gets through. */
export async function useCode(tx: Tx, challengeId: string, now: Date): Promise<void> {
  if (!(await challenges.use(tx, challengeId, now))) throw refused()
}

const refused = () => new Problem('proof_refused', 'The code is wrong, too old or used up. Ask for a new one.')
