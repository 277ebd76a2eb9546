import { type Recorder, requestStream } from '../audit/record.ts'
import type { Said } from '../delivery/letters/letters.ts'
import type { Actor } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { isCode, normaliseCode } from '../verification/code.ts'
import { countRepudiationTry, REPUDIATION_TRIES, type RepudiationLink } from '../verification/repudiation-links.store.ts'

export interface CheckRepudiationDeps {
  vault: Pick<Vault, 'matches'>
  record: Recorder
  transact: Transact
  tellOfficerOfRepudiation(tx: Tx, request: DsarRequest, effect: Said<'repudiated'>['effect']): Promise<void>
  /** Counts a wrong code, here and over the fleet. */
  onCodeRefused(): Promise<void>
}

/**
 * Counts a try and compares the code that was typed with the one in the letter; the count commits whatever comes of it. What has not
 * the form of a code, as from a program that fills in forms, is no try. After the last one in vain the officer is told.
 * @throws Problem `proof_refused`
 */
export async function checkRepudiationCode(
  deps: CheckRepudiationDeps,
  { id, requestId, codeMac, contact }: RepudiationLink,
  typed: string,
  by: Actor,
): Promise<void> {
  const code = normaliseCode(typed)
  if (!isCode(code)) throw refused()
  const tries = await deps.transact(tx => countRepudiationTry(tx, id))
  if (tries <= REPUDIATION_TRIES && deps.vault.matches(codeMac, 'repudiation', `${id}|${code}`)) return
  await deps.onCodeRefused()
  if (tries <= REPUDIATION_TRIES)
    await deps.transact(async tx => {
      const request = await lockRequest(tx, requestId)
      await deps.record(tx, requestStream(requestId), by, 'repudiation_refused', { contact, tries })
      if (tries === REPUDIATION_TRIES) await deps.tellOfficerOfRepudiation(tx, request, 'not_confirmed')
    })
  throw refused()
}

const refused = () => new Problem('proof_refused', 'That is not the code beside the link in the letter.')
