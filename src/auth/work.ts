import { createChallenge, type Payload, randomInt, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { Problem } from '../domain/problem.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import type { RateLimitStore } from '../platform/rate-limit.ts'

export interface WorkDeps {
  vault: { mac(purpose: string, value: string): Buffer }
  clock: Clock
  rateLimits: RateLimitStore
}

/** About a second of one core: nothing to a person, and a thousand guesses cost a quarter of an hour. */
const COST = 1000
const STEPS = { least: 2000, most: 4000 }
const GOOD_FOR_MS = 10 * 60_000

/** Something to compute, signed, so that nothing of it has to be remembered here. */
export const newWork = (deps: WorkDeps) =>
  createChallenge({
    algorithm: 'PBKDF2/SHA-256',
    cost: COST,
    counter: randomInt(STEPS.most, STEPS.least),
    deriveKey,
    expiresAt: new Date(realTime(deps.clock).getTime() + GOOD_FOR_MS),
    ...secretsOf(deps),
  })

/** Takes work that was done, once. @throws Problem `work_needed` when it was not, was done wrongly, too late or was used before */
export async function takeWork(deps: WorkDeps, given: unknown): Promise<void> {
  const payload = payloadOf(given)
  if (!payload || !(await isDone(deps, payload))) throw new Problem('work_needed')
  const { count } = await deps.rateLimits.count(`work ${payload.challenge.signature}`, GOOD_FOR_MS)
  if (count > 1) throw new Problem('work_needed', 'This work was used before; do another.')
}

async function isDone(deps: WorkDeps, { challenge, solution }: Payload): Promise<boolean> {
  try {
    return (await verifySolution({ challenge, solution, deriveKey, ...secretsOf(deps) })).verified
  } catch {
    return false // what a stranger sent is not what the library takes
  }
}

function payloadOf(given: unknown): Payload | undefined {
  try {
    const { challenge, solution } = JSON.parse(Buffer.from(String(given), 'base64').toString('utf8')) as Partial<Payload>
    return challenge && solution && { challenge, solution }
  } catch {
    return undefined
  }
}

const secretsOf = ({ vault }: WorkDeps) => ({
  hmacSignatureSecret: vault.mac('work', 'challenge').toString('hex'),
  hmacKeySignatureSecret: vault.mac('work', 'key').toString('hex'),
})
