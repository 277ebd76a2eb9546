import { addDays, type Day, dayIn } from '../domain/day.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import { forwardedAmong, refusedAmong } from '../fulfilment/completeness.ts'
import { RESCAN_DAYS } from '../fulfilment/later-rounds.store.ts'
import { leftoversOf } from '../fulfilment/leftovers.store.ts'
import type { Tx } from '../platform/database.ts'
import type { Policy } from '../policy/policy.ts'
import { authorityFor, categoryFor } from '../policy/texts.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import { isRestricted } from '../requests/marks.store.ts'
import { type Task, tasksOf } from '../tasks/tasks.store.ts'
import type { FieldName, Kept, Said } from './letters/letters.ts'
import { type LetterDeps, type RequestLetter, writeLetterToSubject } from './write-letters.ts'

export interface OutcomeDeps extends Omit<LetterDeps, 'vault'> {
  vault: LetterDeps['vault'] & DetailsDeps['vault']
  policy: Pick<Policy, 'language' | 'translations' | 'supervisoryAuthority' | 'categories'>
}

/** Tells the person what was done, and no more than was verified. Staff have written an answer of their own already. */
export async function tellOutcome(deps: OutcomeDeps, tx: Tx, request: DsarRequest): Promise<void> {
  const details = await detailsOf(deps, tx, request.id)
  const letter = await letterFor(deps, tx, request, details)
  if (letter) await writeLetterToSubject(deps, tx, request, letter)
}

async function letterFor(deps: OutcomeDeps, tx: Tx, request: DsarRequest, details: Details): Promise<RequestLetter | undefined> {
  const today = dayIn(deps.clock.now(), request.timeZone)
  const tasks = await tasksOf(tx, request.id)
  switch (request.right) {
    case 'rectification':
      return { kind: 'rectified', values: { changed: changedFields(details, tasks) } }
    case 'erasure':
    case 'under_age_report':
      return { kind: 'erased', values: await certificate(deps, tx, request, tasks, today) }
    case 'restriction':
      if (details.lifts) return letterOfLifting(tx, request, details.lifts)
      return { kind: 'restricted', values: { restrictedOn: today, kept: titlesOf(tasks, 'restrict') } }
    case 'objection':
      return {
        kind: 'objection-decided',
        values: { outcome: 'upheld', purposes: purposesOf(details), isPart: request.parentId !== null },
      }
    case 'consent_withdrawal':
      return {
        kind: 'consent-receipt',
        values: { purposes: purposesOf(details), cookies: details.cookies ?? [], withdrawnOn: today },
      }
    case 'marketing_opt_out':
      return { kind: 'opted-out', values: { optedOutOn: today } }
    default:
      return undefined
  }
}

/** Of a restriction that has ended; of an account that was stopped because of a report, unless another restriction keeps it. */
async function letterOfLifting(tx: Tx, { openedByKind }: DsarRequest, lifts: string): Promise<RequestLetter> {
  const remaining = await isRestricted(tx, lifts)
  if (openedByKind === 'system' && !remaining) return { kind: 'under-age-lifted', values: {} }
  return { kind: 'restriction-lifted', values: { remaining } }
}

/** The certificate of erasure: what is gone, what had to stay and until when, and when it will be looked at again. */
async function certificate(
  { policy }: OutcomeDeps,
  tx: Tx,
  { id, scope, locale }: DsarRequest,
  tasks: readonly Task[],
  today: Day,
): Promise<Said<'erased'>> {
  const title = (adapterId: string, name: string) =>
    tasks.find(task => task.adapterId === adapterId && task.action === 'erase')?.config.datasets.find(one => one.name === name)
      ?.title ?? name
  const kept = (await leftoversOf(tx, id)).map(({ adapterId, dataset, reason, statute, until }) => ({
    title: title(adapterId, dataset),
    reason: reason as Kept['reason'],
    statute: statute ?? '',
    until,
  }))
  const erased = tasks.filter(({ action, asked }) => action === 'erase' && asked)
  const confirmed = erased.filter(task => isOnlyConfirmed(task, tasks))
  const before = erased.some(({ answer }) => answer?.erasedFor) && !erased.some(hasErased)
  return {
    erasedOn: today,
    ...(before && { before }),
    adapters: new Set(erased.filter(task => !confirmed.includes(task)).map(({ adapterId }) => adapterId)).size,
    ...(confirmed.length > 0 && { confirmed: confirmed.map(({ config }) => config.title) }),
    only: (scope.categories ?? []).map(name => categoryFor(policy, name, locale)),
    kept,
    refused: refusedAmong(tasks).map(({ title }) => title),
    forwarded: forwardedAmong(tasks).map(({ title }) => title),
    rescans: confirmed.length > 0 && confirmed.length === erased.length ? [] : RESCAN_DAYS.map(days => addDays(today, days)),
    authority: authorityFor(policy, locale),
  }
}

/** It said so itself, and whether it is so nobody could look up but people, by whatever they were told. */
const isOnlyConfirmed = ({ adapterId, answer }: Task, tasks: readonly Task[]): boolean =>
  answer?.status !== 'settled_by_hand' &&
  tasks.some(
    task =>
      task.action === 'confirm_erased' &&
      task.adapterId === adapterId &&
      task.round === 0 &&
      task.answer?.status === 'settled_by_hand',
  )

const hasErased = ({ answer }: Task): boolean =>
  answer?.datasets.some(({ outcome, count }) => outcome === 'completed' && count > 0) === true

/** By their titles, of the adapters that did it. */
function changedFields({ corrections = [] }: Details, tasks: readonly Task[]): FieldName[] {
  const held = tasks
    .filter(({ action }) => action === 'rectify')
    .flatMap(({ config, answer }) =>
      config.datasets.filter(({ name }) => answer?.datasets.some(said => said.name === name && said.outcome === 'completed')),
    )
  return corrections.flatMap(({ dataset, field }) => {
    const found = held.find(({ name }) => name === dataset)
    return found ? [{ dataset: found.title, field: found.fields.find(({ name }) => name === field)?.title ?? field }] : []
  })
}

const titlesOf = (tasks: readonly Task[], action: Task['action']): string[] =>
  tasks
    .filter(task => task.action === action)
    .flatMap(({ answer, config }) =>
      config.datasets
        .filter(({ name }) => answer?.datasets.some(said => said.name === name && said.outcome !== 'no_data'))
        .map(({ title }) => title),
    )

const purposesOf = ({ purposes = [] }: Details) => purposes as Said<'consent-receipt'>['purposes']
