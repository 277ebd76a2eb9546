import { addDays, compareDays, type Day, daysBetween, earliest, latest } from './day.ts'
import type { Pause, Step } from './ledger.ts'
import { endOfFirst, inWords } from './period.ts'
import { Problem } from './problem.ts'
import type { Regulation } from './regulation.ts'

/** How far waiting for the person moves a clock. */
export interface Standstill {
  /** The day from which the law counts, as far as it is known yet. */
  startsOn: Day
  /** Set where waiting has moved the due day and nothing is awaited any more. */
  pausedDueOn?: Day
  /** Set while something is still awaited: the clock has stood still since, and nobody can say until when. */
  pausedSince?: Day
  steps: Step[]
}

interface Tally {
  startsOn: Day
  /** Days taken out of the count so far, and the last of them: a day awaited twice is taken out once. */
  excluded: number
  lastExcluded: Day
  since?: Day
  steps: Step[]
}

/**
 * Applies what the law says about waiting for the person. Excluded are all days from the one on which was asked to the one on
 * which the answer came, both included (UK GDPR Art. 12A). A clock that has run out cannot be stopped any more.
 * @throws Problem `invalid_request` for a pause that ends before it begins
 */
export function standstill(regulation: Regulation, receivedOn: Day, pauses: readonly Pause[]): Standstill {
  if (pauses.some(({ from, until }) => until && until < from)) {
    throw new Problem('invalid_request', 'A pause cannot end before it begins.')
  }
  const tally = inOrder(regulation, pauses).reduce<Tally>((sofar, pause) => take(regulation, sofar, pause), {
    startsOn: receivedOn,
    excluded: 0,
    lastExcluded: addDays(receivedOn, -1),
    steps: [],
  })
  const { startsOn, excluded, since, steps } = tally
  if (since) return { startsOn, pausedSince: since, steps }
  if (excluded > 0 || startsOn > receivedOn) return { startsOn, pausedDueOn: dueOn(regulation, tally), steps }
  return { startsOn, steps }
}

/** What decides on the start comes first, because only days after it can be taken out of the count. */
function inOrder({ standsStill }: Regulation, pauses: readonly Pause[]): Pause[] {
  const first = ({ reason }: Pause) => (standsStill?.during[reason] === 'starts when answered' ? 0 : 1)
  return pauses.toSorted((a, b) => first(a) - first(b) || compareDays(a.from, b.from))
}

const dueOn = ({ within }: Regulation, { startsOn, excluded }: Tally): Day => addDays(endOfFirst(within, startsOn), excluded)

function take(regulation: Regulation, tally: Tally, { reason, from, until }: Pause): Tally {
  const effect = regulation.standsStill?.during[reason]
  const rule = (effect && regulation.standsStill?.citation) ?? regulation.citation
  const asked = `Asked for ${reason} on ${from}`
  const and = (text: string, moved: Partial<Tally> = {}): Tally => {
    const next = { ...tally, ...moved }
    const on = moved.startsOn || moved.excluded ? dueOn(regulation, next) : undefined
    return { ...next, steps: [...tally.steps, { ...(on && { on }), rule, text: `${asked}${text}` }] }
  }

  if (!effect) return and(': this clock does not stop for it.')
  if (!tally.since && from > dueOn(regulation, tally)) return and(', after the last day: too late to stop the clock.')
  if (!until) return and(' and not given yet: the clock stands still.', { since: earliest([tally.since ?? from, from]) })
  if (effect === 'starts when answered') {
    return and(`, given on ${until}: counted from that day.`, { startsOn: latest([tally.startsOn, until]) })
  }
  const first = latest([from, tally.startsOn, addDays(tally.lastExcluded, 1)])
  const days = Math.max(0, daysBetween(first, until) + 1)
  return and(`, given on ${until}: ${inWords({ days })} ${days === 1 ? 'does' : 'do'} not count.`, {
    excluded: tally.excluded + days,
    lastExcluded: latest([tally.lastExcluded, until]),
  })
}
