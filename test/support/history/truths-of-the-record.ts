import { isTerminal, type State } from '../../../src/domain/lifecycle.ts'
import { hasEnded } from './acts.ts'
import { type Ended, inEffect, restricts } from './ended.ts'
import { ERASES } from './world.ts'

/** Each state follows from the one before, on the record; so does each decision that was acknowledged; and an end is an end. */
export function offTheRecord({ entries, view, views, decided, decisions }: Ended): string[] {
  const moves = entries.filter(({ facts }) => facts.to)
  const states: (State | undefined)[] = ['received', ...moves.map(({ facts }) => facts.to)]
  const recorded = new Set(entries.map(({ facts }) => facts.decision))
  const ends = views.filter(hasEnded).map(({ state, dueOn, legalDueOn, closedAt }) => [state, dueOn, legalDueOn, closedAt].join())
  return [
    ...moves.filter(({ facts }, i) => facts.from !== states[i]).map(({ event }) => `${event} does not follow`),
    ...states
      .slice(0, -1)
      .filter(state => state && isTerminal(state))
      .map(state => `it went on after ${state}`),
    ...(view.state === states.at(-1) ? [] : [`it is ${view.state} and the record says ${states.at(-1)}`]),
    ...views.filter(({ state }) => !states.includes(state)).map(({ state }) => `it was ${state} off the record`),
    ...decided.filter(id => !recorded.has(id)).map(id => `decision ${id} is off the record`),
    ...decided.filter(id => !decisions.some(decision => decision.id === id)).map(id => `decision ${id} is gone`),
    ...(new Set(ends).size > 1 ? [`its end changed: ${ends.join(' | ')}`] : []),
  ]
}

/** What the law lets nobody say no to, and what takes two people. */
export function refusedAgainstTheLaw(one: Ended): string[] {
  const { right, body, entries } = one
  const isSplit = entries.some(({ event }) => event === 'marketing_split_off')
  return inEffect(one).flatMap(({ kind, ground, parts, decidedBy, approvedBy }) => {
    if (kind === 'approve') return []
    const said = ground ?? ''
    const asked = body.details?.purposes ?? []
    const marketing = right === 'objection' && !isSplit && (parts ? (parts.purposes ?? []) : asked).includes('marketing')
    const isWrong =
      right === 'marketing_opt_out' ||
      marketing ||
      (right === 'consent_withdrawal' && !['cannot_identify', 'not_a_right_under_law'].includes(said)) ||
      (said.startsWith('17_3') && !ERASES.has(right)) ||
      (said === 'compelling_grounds' && right !== 'objection') ||
      (said === 'rights_of_others' && (!parts || !['access', 'portability'].includes(right)))
    const alone = said.startsWith('manifestly') && (!approvedBy || approvedBy === decidedBy)
    return [...(isWrong ? [`${right} was refused on ${said}`] : []), ...(alone ? [`${said} was said by one person`] : [])]
  })
}

/** The same date of the next month, or that month's last day; received where it was the earlier day. */
export function legalMonth(receivedAt: string, timeZones: readonly string[]): string {
  const days = timeZones.map(timeZone => new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date(receivedAt)))
  const [year = 0, month = 0, day = 0] = (days.sort()[0] ?? '').split('-').map(Number)
  const lastOfNext = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return new Date(Date.UTC(year, month, Math.min(day, lastOfNext))).toISOString().slice(0, 10)
}

export function promisedTooLate({ view, views, body }: Ended & { body: { subject?: { timeZone?: string } } }): string[] {
  const zones = ['Asia/Colombo', ...(body.subject?.timeZone ? [body.subject.timeZone] : [])]
  const month = legalMonth(view.receivedAt, zones)
  return [
    ...(view.dueOn > month ? [`promised by ${view.dueOn}, and the legal month ends on ${month}`] : []),
    ...(new Set(views.map(({ dueOn }) => dueOn)).size > 1 ? ['the promise was moved'] : []),
  ]
}

/** What every service learns of a person by now follows from what was completed for them. */
export function expectedStanding(all: readonly Ended[], person: number) {
  const done = all.filter(one => one.person === person && one.view.state === 'completed')
  const lifted = new Set(done.map(({ body }) => body.details?.lifts))
  const refused = (one: Ended) => inEffect(one).flatMap(({ kind, parts }) => (kind === 'refuse_partly' && parts ? [parts] : []))
  const accountStays = (one: Ended) => one.body.scope || refused(one).some(({ categories }) => categories?.includes('account'))
  const ledgerStays = (one: Ended) =>
    refused(one).some(({ datasets = [] }) => datasets.some(({ dataset }) => dataset === 'things'))
  const erased = done.some(one => ERASES.has(one.right) && !accountStays(one) && !ledgerStays(one))
  const objectedTo = new Set(
    done.flatMap(one => {
      if (one.right === 'marketing_opt_out') return ['marketing']
      if (one.right !== 'objection') return []
      const no = refused(one).flatMap(({ purposes = [] }) => purposes)
      return (one.body.details?.purposes ?? []).filter(purpose => !no.includes(purpose))
    }),
  )
  return {
    restricted: done.some(one => restricts(one) && !lifted.has(one.id)),
    objectedTo: [...objectedTo].sort(),
    consentWithdrawn: { purposes: done.some(({ right }) => right === 'consent_withdrawal') ? ['marketing'] : [], cookies: [] },
    suppressed: erased || objectedTo.has('marketing'),
    erased,
  }
}
