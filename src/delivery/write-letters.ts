import type { AlarmLevel } from '../domain/alarms.ts'
import { dayIn, earliest } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { getRequest } from '../requests/apply-event.ts'
import { contactPointsOf, type IdentityDeps } from '../requests/identities.store.ts'
import type { Purpose } from '../verification/challenges.store.ts'
import { CODE_MINUTES } from '../verification/send-challenge.ts'
import { type NewLetter, type OutboxDeps, writeLetter } from './outbox.ts'

export interface LetterDeps extends Omit<OutboxDeps, 'vault'>, IdentityDeps {
  vault: IdentityDeps['vault'] & OutboxDeps['vault']
  /** How the privacy officer is reached; alarms go there too. */
  officer: string
}

/** The letter with a code, to the address that the code is to prove. */
export async function writeCodeLetter(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  { challengeId, code, recipient, purpose }: { challengeId: string; code: string; recipient: string; purpose: Purpose },
): Promise<void> {
  const common = { requestId: request.id, recipient, locale: request.locale, dedupe: `code|${challengeId}` }
  const values = { reference: request.id, officer: deps.officer, code, minutes: CODE_MINUTES }
  await writeLetter(
    deps,
    tx,
    purpose === 'download'
      ? { ...common, kind: 'download-code', values }
      : { ...common, kind: 'identity-code', values: { ...values, right: request.right } },
  )
}

/** Confirms that the request is being worked on and by when it will be answered. */
export async function acknowledge(deps: LetterDeps & { transact: Transact }, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await getRequest(tx, requestId)
    if (!request || request.closedAt) return
    const { right, receivedAt, timeZone, dueOn, legalDueOn } = request
    await writeToSubject(deps, tx, request, {
      kind: 'acknowledgment',
      values: {
        reference: requestId,
        officer: deps.officer,
        right,
        receivedOn: dayIn(receivedAt, timeZone),
        promisedOn: earliest([dueOn, legalDueOn]),
      },
    })
  })
}

/** Tells the privacy officer that a deadline is near, or here. */
export const tellOfficer = (deps: LetterDeps, tx: Tx, request: DsarRequest, level: AlarmLevel): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'deadline-alarm',
    requestId: request.id,
    recipient: deps.officer,
    locale: 'en',
    dedupe: `alarm|${request.id}|${level}`,
    values: {
      reference: request.id,
      officer: deps.officer,
      right: request.right,
      level,
      dueOn: earliest([request.dueOn, request.legalDueOn]),
      state: request.state,
      flags: request.flags,
    },
  })

type OneLetter = { [K in NewLetter['kind']]: Pick<Extract<NewLetter, { kind: K }>, 'kind' | 'values'> }[NewLetter['kind']]

async function writeToSubject(deps: LetterDeps, tx: Tx, request: DsarRequest, letter: OneLetter): Promise<void> {
  const [contact] = await contactPointsOf(deps, tx, request.id)
  if (!contact) return
  const addressed = {
    ...letter,
    requestId: request.id,
    recipient: contact.value,
    locale: request.locale,
    dedupe: `${letter.kind}|${request.id}`,
  }
  await writeLetter(deps, tx, addressed as NewLetter)
}

/** The last letter of a request that ended without an answer. Whoever was never found on file is not written to. */
export async function writeClosingLetter(deps: LetterDeps & { transact: Transact }, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await getRequest(tx, requestId)
    const common = { reference: requestId, officer: deps.officer }
    if (request?.state === 'lapsed' || request?.state === 'withdrawn')
      await writeToSubject(deps, tx, request, { kind: request.state, values: common })
    if (request?.state === 'cancelled')
      await writeToSubject(deps, tx, request, {
        kind: 'cancelled',
        values: { ...common, reason: await cancelReason(tx, requestId) },
      })
  })
}

async function cancelReason(tx: Tx, requestId: string) {
  const [row] = await tx.query<{ reason: Extract<NewLetter, { kind: 'cancelled' }>['values']['reason'] }[]>(
    `SELECT facts->>'reason' AS reason FROM audit_entry WHERE stream = $1 AND event = 'cancelled' ORDER BY seq DESC LIMIT 1`,
    [`request:${requestId}`],
  )
  if (!row) throw new Error(`Request ${requestId} was cancelled without a reason.`)
  return row.reason
}
