import { ANONYMOUS, toActor } from '../auth/caller.ts'
import type { Actor } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import { awaitsProof } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { codesFor, owedOf } from './owed.ts'
import { resolutionOf } from './resolution.ts'
import { type ChallengeDeps, sendChallenge } from './send-challenge.ts'

/**
 * Sends new codes to whoever has yet to show something: not before everybody who knows people has said who this is, for until then
 * the address on file may be somebody else's. @throws Problem `not_found`, `too_many_requests`
 */
export async function sendOwedCode(deps: CaseDeps & ChallengeDeps, tx: Tx, requestId: string, by: Actor): Promise<void> {
  const request = await lockRequest(tx, requestId)
  if (request.state === 'verifying' ? request.flags.includes('on_hold') : !awaitsProof(request)) return
  const { unasked, unanswered } = await resolutionOf(tx, requestId)
  if (unasked || unanswered) return
  const codes = codesFor(await owedOf(deps, tx, request))
  const refused: Problem[] = []
  for (const purpose of codes)
    await sendChallenge(deps, tx, request, purpose, by).catch(error => {
      if (!(error instanceof Problem)) throw error
      refused.push(error) // one mailbox that has had enough keeps nothing from the other
    })
  if (refused[0] && refused.length === codes.length) throw refused[0]
}

/** Does so for somebody who came without a token, and tells nobody how it ended. */
export async function sendCodeAgain(deps: CaseDeps & ChallengeDeps & { transact: Transact }, requestId: string): Promise<void> {
  await deps
    .transact(tx => sendOwedCode(deps, tx, requestId, toActor(ANONYMOUS)))
    .catch(error => {
      if (!(error instanceof Problem)) throw error
    })
}
