import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { type BreakGlassReason, type Contents, OPEN_MS, PROPOSED_MS } from '../domain/break-glass.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import { canBeTold } from '../requests/decision-letter.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import { type BreakGlass, glassesOf, insertGlass, noteApproval, type SealedGlass } from './break-glass.store.ts'

/** Told to the person at once, in the words of offices and codes. */
export interface ContentsOpenedLetter {
  kind: 'contents-opened'
  occasion: string
  values: { role: BreakGlass['role']; reason: BreakGlassReason; what: Contents[]; until: string; timeZone: string }
}

export interface BreakGlassDeps extends CaseDeps {
  vault: Vault
  writeLetterToSubject(tx: Tx, request: DsarRequest, letter: ContentsOpenedLetter): Promise<void>
  writeToOwn(tx: Tx, request: DsarRequest, letter: ContentsOpenedLetter): Promise<void>
}

export const glassContext = (requestId: string, n: number) => `break_glass|text_sealed|${requestId}|${n}`

/** One of the staff asks to see contents, and says why: a code, which the person is told, and words for whoever approves. */
export async function askForContents(
  deps: BreakGlassDeps,
  tx: Tx,
  requestId: string,
  asked: { reason: BreakGlassReason; text: string; what: Contents[] },
  caller: Caller,
): Promise<SealedGlass> {
  await refuseOwnCase(deps, tx, await lockRequest(tx, requestId), caller, { twoPeople: true })
  const { reason, what, text } = asked
  const n = ((await glassesOf(tx, requestId)).at(-1)?.n ?? 0) + 1
  const by = toActor(caller)
  const glass: SealedGlass = {
    ...{ n, reason, what, role: officeOf(caller), openedBy: by.id, openedAt: deps.clock.now() },
    ...{ approvedBy: null, approvedAt: null, expiresAt: null },
    textSealed: deps.vault.seal(text, glassContext(requestId, n)),
  }
  await insertGlass(tx, requestId, glass)
  await deps.record(tx, requestStream(requestId), by, 'break_glass_proposed', { glass: n, reason, what, role: glass.role })
  return glass
}

/**
 * Another person opens them: for an hour, to whoever asked alone. The person is told in the same transaction, so contents of somebody
 * who cannot be told are not opened. @throws Problem `not_found`, `second_person_needed`, `not_allowed`, `illegal_transition`, `unprocessable`
 */
export async function openContents(
  deps: BreakGlassDeps,
  tx: Tx,
  requestId: string,
  n: number,
  caller: Caller,
): Promise<SealedGlass> {
  const request = await lockRequest(tx, requestId)
  const glass = (await glassesOf(tx, requestId)).find(one => one.n === n)
  if (!glass) throw new Problem('not_found')
  const now = deps.clock.now()
  if (glass.approvedAt) throw new Problem('illegal_transition', 'It was approved already.')
  if (now.getTime() - glass.openedAt.getTime() > PROPOSED_MS)
    throw new Problem('illegal_transition', 'It was asked for more than a day ago: it has to be asked for again.')
  requireSecondPerson(glass.openedBy, caller)
  await refuseOwnCase(deps, tx, request, caller, { twoPeople: true })
  if (!(await canBeTold(deps, tx, request)))
    throw new Problem('unprocessable', 'The person has to be told, and no address of theirs is known.')

  const by = toActor(caller)
  const expiresAt = new Date(now.getTime() + OPEN_MS)
  const { reason, what, role } = glass
  await noteApproval(tx, requestId, n, by.id, now, expiresAt)
  const until = expiresAt.toISOString()
  await deps.record(tx, requestStream(requestId), by, 'break_glass_approved', { glass: n, reason, what, role, expiresAt: until })
  const values = { role, reason, what, until, timeZone: request.timeZone }
  const letter = { kind: 'contents-opened', occasion: String(n), values } as const
  await deps.writeToOwn(tx, request, letter)
  await deps.writeLetterToSubject(tx, request, letter) // is the same letter: goes out only where they have no address of their own
  return { ...glass, approvedBy: by.id, approvedAt: now, expiresAt }
}

function officeOf(caller: Caller): BreakGlass['role'] {
  if (caller.kind !== 'support_agent') throw new Problem('not_allowed')
  return caller.roles.has('dpo') ? 'dpo' : caller.roles.has('privacy_officer') ? 'privacy_officer' : 'agent'
}
