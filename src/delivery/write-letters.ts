import type { AlarmLevel } from '../domain/alarms.ts'
import { type Day, dayIn } from '../domain/day.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { type Addressee, addresseeOf, asAddressee, everybodyToTell, ownContactsOf } from '../requests/addressee.ts'
import { getRequest } from '../requests/apply-event.ts'
import { isExtended } from '../requests/clock-ledger.store.ts'
import { lastDayOf } from '../requests/clocks-of.ts'
import { type IdentityDeps, identityIndex } from '../requests/identities.store.ts'
import { powerOf } from '../requests/power.ts'
import type { LetterName, Said } from './letters/letters.ts'
import { TO_BE_TOLD } from './letters/readers.ts'
import { keepUnaddressed, type NewLetter, writeLetter } from './outbox.ts'
import { type MeansDeps, writeWithMeans } from './write-with-means.ts'

export interface LetterDeps extends Omit<MeansDeps, 'vault'>, IdentityDeps {
  vault: IdentityDeps['vault'] & MeansDeps['vault']
  /** How the privacy officer is reached; alarms go there too. */
  officer: string
}

/**
 * Confirms that the request is being worked on and by when it will be answered: to every address on file, because whoever asked
 * may not be whose data they are. Not before somebody proved anything, or anybody could have us write to all of them. A person for whom
 * somebody acts without them has been told of that, and asked for nothing themselves.
 */
export async function acknowledge(deps: LetterDeps & { transact: Transact }, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await getRequest(tx, requestId)
    if (!request || request.closedAt || !isTheirs(request)) return
    const { right, receivedAt, timeZone } = request
    const write = (await powerOf(deps, tx, request))?.voice === 'told' ? writeLetterToSubject : writeToEveryContact
    await write(deps, tx, request, {
      kind: 'acknowledgment',
      values: { right, receivedOn: dayIn(receivedAt, timeZone), promisedOn: lastDayOf(request, await isExtended(tx, requestId)) },
    })
  })
}

/** Whether the person asked for it, or somebody for them: a report is made against them, and some requests we make of ourselves. */
const isTheirs = ({ relationship, parentId, openedByKind }: DsarRequest): boolean =>
  relationship !== 'reporter' && (parentId === null || openedByKind === 'data_subject' || openedByKind === 'service')

/** To whoever reported somebody, at their own address; they will hear no more. */
export const thankReporter = (deps: LetterDeps, tx: Tx, { id, locale }: DsarRequest, recipient: string): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'report-received',
    requestId: id,
    recipient,
    locale,
    dedupe: `report-received|${id}`,
    values: { reference: id, officer: deps.officer },
  })

/** Tells the privacy officer that somebody wrote. What they wrote is in no mail. */
export const tellOfficerOfMessage = (deps: LetterDeps, tx: Tx, { id, right }: DsarRequest, messageId: string): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'message-arrived',
    requestId: id,
    recipient: deps.officer,
    locale: 'en',
    dedupe: `message-arrived|${messageId}`,
    values: { reference: id, officer: deps.officer, right },
  })

/** Tells the privacy officer that a deadline is near, or here. A day that was moved has letters of its own. */
export const tellOfficer = (deps: LetterDeps, tx: Tx, request: DsarRequest, level: AlarmLevel, dueOn: Day): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'deadline-alarm',
    requestId: request.id,
    recipient: deps.officer,
    locale: 'en',
    dedupe: `alarm|${request.id}|${dueOn}|${level}`,
    values: {
      reference: request.id,
      officer: deps.officer,
      right: request.right,
      level,
      dueOn,
      state: request.state,
      flags: request.flags,
    },
  })

/** Tells the privacy officer, at most once an hour, that codes are being guessed at. */
export function tellOfGuessing(deps: LetterDeps, tx: Tx): Promise<void> {
  const reference = `guessing ${deps.clock.now().toISOString().slice(0, 13)}`
  const values = { reference, officer: deps.officer }
  const to = { requestId: null, recipient: deps.officer, locale: 'en' }
  return writeLetter(deps, tx, { kind: 'guessing', ...to, dedupe: reference, values })
}

/** Tells the privacy officer what came of somebody's saying that a request is not theirs, or that they may have tried to in vain. */
export const tellOfficerOfRepudiation = (
  deps: LetterDeps,
  tx: Tx,
  { id, right }: Pick<DsarRequest, 'id' | 'right'>,
  effect: Said<'repudiated'>['effect'],
): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'repudiated',
    requestId: id,
    recipient: deps.officer,
    locale: 'en',
    dedupe: `repudiated|${id}|${effect}`,
    values: { reference: id, officer: deps.officer, right, effect },
  })

/** Tells the privacy officer that an erasure no longer holds, once for each time that it was looked into. */
export const tellErasureUndone = (
  deps: LetterDeps,
  tx: Tx,
  { id }: DsarRequest,
  round: number,
  adapters: readonly string[],
): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'erasure-undone',
    requestId: id,
    recipient: deps.officer,
    locale: 'en',
    dedupe: `erasure-undone|${id}|${round}`,
    values: { reference: id, officer: deps.officer, adapters },
  })

/** Tells the privacy officer that somebody of the staff opened as many cases as anybody may, once a day each. */
export const tellOfficerOfViews = (deps: LetterDeps, tx: Tx, viewer: string, day: string, budget: number): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'budget-spent',
    requestId: null,
    recipient: deps.officer,
    locale: 'en',
    dedupe: `budget-spent|${viewer}|${day}`,
    values: { reference: `oversight ${day}`, officer: deps.officer, viewer: viewer.slice(viewer.indexOf('|') + 1), budget },
  })

/** A letter of one request, without what all its letters say. */
export type RequestLetter = {
  [K in LetterName]: {
    kind: K
    values: Said<K>
    /** Tells letters of one kind apart, such as the id of a decision. Without it, a request has one letter of a kind. */
    occasion?: string
  }
}[LetterName]

/** To whom the request is answered, in the caller's transaction: the person, or who acts for them. For whoever was never found on file what they have to be told is kept. */
export async function writeLetterToSubject(deps: LetterDeps, tx: Tx, request: DsarRequest, letter: RequestLetter): Promise<void> {
  const addressee = await addresseeOf(deps, tx, request)
  if (addressee) return writeTo(deps, tx, request, letter, addressee, [])
  const { id: requestId, locale } = request
  const { kind, occasion, values } = letter
  if (TO_BE_TOLD.has(kind))
    await keepUnaddressed(deps, tx, {
      ...{ requestId, kind, locale, dedupe: [kind, requestId, ...(occasion ? [occasion] : [])].join('|') },
      values: { reference: requestId, officer: deps.officer, ...values },
    } as NewLetter)
}

/** To the first address of the person themself, whoever acts for them. */
export async function writeToOwn(deps: LetterDeps, tx: Tx, request: DsarRequest, letter: RequestLetter): Promise<void> {
  const [contact] = await ownContactsOf(deps, tx, request)
  if (contact) await writeTo(deps, tx, request, letter, asAddressee(contact), [])
}

/**
 * One letter to each address on file, because whoever asked may not be who reads the main one, and to who acts for the person; but
 * not to the address of one contact point, where its number is given.
 */
export async function writeToEveryContact(
  deps: LetterDeps,
  tx: Tx,
  request: DsarRequest,
  letter: RequestLetter,
  { except }: { except?: number } = {},
): Promise<void> {
  const told = (await everybodyToTell(deps, tx, request)).map(one => ({ ...one, mailbox: which(deps, one.address) }))
  const spared = except === undefined ? undefined : told.find(({ contact }) => contact === except)?.mailbox
  for (const { mailbox, ...one } of told) if (mailbox !== spared) await writeTo(deps, tx, request, letter, one, [mailbox])
}

/** Tells one mailbox from another without naming it. */
export const which = (deps: IdentityDeps, value: string): string =>
  identityIndex(deps, { type: 'email', value }).toString('base64url')

export async function writeTo(
  deps: LetterDeps,
  tx: Tx,
  { id, locale }: DsarRequest,
  { kind, values, occasion }: RequestLetter,
  { address: recipient, actsForAnother, contact }: Addressee,
  apart: string[],
): Promise<void> {
  const said = { reference: id, officer: deps.officer, ...(actsForAnother && { forAnother: true }), ...values }
  const dedupe = [kind, id, ...(occasion ? [occasion] : []), ...apart].join('|')
  await writeWithMeans(deps, tx, { kind, requestId: id, recipient, locale, dedupe, values: said } as NewLetter, contact)
}

/** The last letter of a request that ended without an answer. Whoever was never found on file is not written to. */
export async function writeClosingLetter(deps: LetterDeps & { transact: Transact }, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await getRequest(tx, requestId)
    if (request?.relationship === 'reporter') return
    if (request?.state === 'lapsed' || request?.state === 'withdrawn')
      await writeLetterToSubject(deps, tx, request, { kind: request.state, values: {} })
    const reason = request?.state === 'cancelled' && (await cancelReason(tx, requestId))
    if (request && reason && reason !== 'repudiated')
      // of which everybody was told at once
      await writeLetterToSubject(deps, tx, request, { kind: 'cancelled', values: { reason } })
  })
}

async function cancelReason(tx: Tx, requestId: string) {
  const [row] = await tx.query<{ reason: Said<'cancelled'>['reason'] | 'repudiated' }[]>(
    `SELECT facts->>'reason' AS reason FROM audit_entry WHERE stream = $1 AND event = 'cancelled' ORDER BY seq DESC LIMIT 1`,
    [`request:${requestId}`],
  )
  if (!row) throw new Error(`Request ${requestId} was cancelled without a reason.`)
  return row.reason
}
