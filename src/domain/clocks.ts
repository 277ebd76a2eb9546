import { type Holidays, type HolidaysByPlace, holidaysOf, nextWorkingDay } from './calendar.ts'
import { type Day, earliest } from './day.ts'
import { type ExtensionWindow, extension } from './extension.ts'
import type { Chaser, LedgerEntry, Step } from './ledger.ts'
import { endOf, endOfFirst, inWords } from './period.ts'
import { Problem } from './problem.ts'
import { receiptOf } from './receipt.ts'
import { type Regulation, regulationsFor } from './regulation.ts'
import { type Standstill, standstill } from './standstill.ts'

/** What is known of a request that bears on time. */
export interface ClocksInput {
  receivedAt: Date
  /** The person's and the controller's, IANA names. At least one. */
  timeZones: readonly string[]
  /** ISO 3166-1 alpha-2 code of the person's country, such as 'DE'. */
  country?: string
  /** ISO 3166-2 code of the region, where known, such as 'US-CA'. */
  region?: string
  holidays?: HolidaysByPlace
  ledger: readonly LedgerEntry[]
}

/** One rule of law applied to one request, with its reckoning. */
export interface Clock extends Pick<Regulation, 'id' | 'title' | 'citation' | 'owes'>, Standstill, ExtensionWindow {
  /** False for a law that has no date of commencement yet: shown, but binding nobody. */
  inForce: boolean
  receivedOn: Day
  /** The strict due day: from receipt, as if nothing had stood still, never moved past a weekend. It is the one to keep. */
  dueOn: Day
  /** The strict due day moved past weekends and holidays, where the law does so: shown, never relied upon. */
  rolledDueOn?: Day
}

/** The two days that matter most. Watch whichever is the earlier: Brazil allows less time than we promise. */
export interface Deadlines {
  /** What we promised the person. Nothing moves it. */
  dueOn: Day
  /** The first day that a statute in force sets for the answer: later once extended, but never for a pause or a weekend. */
  legalDueOn: Day
}

/**
 * Every clock a request is under: our promise and the GDPR's for everyone, and that of the person's place.
 * @throws Problem `invalid_request` for an unknown zone, a malformed country, or a ledger that contradicts itself
 */
export function computeClocks({ receivedAt, timeZones, country, region, holidays, ledger }: ClocksInput): Clock[] {
  const { receivedOn, step } = receiptOf(receivedAt, timeZones)
  const place = placeOf(country, region)
  return regulationsFor(receivedOn, place).map(regulation => {
    const clock = clockOf(regulation, receivedOn, holidaysOf(place, holidays), ledger)
    return { ...clock, steps: [step, ...clock.steps] }
  })
}

export function deadlines(clocks: readonly Clock[]): Deadlines {
  const answers = clocks.filter(clock => clock.inForce && clock.owes === 'answer')
  const promises = answers.filter(clock => clock.id === 'promise')
  const statutes = answers.filter(clock => clock.id !== 'promise')
  return {
    dueOn: earliest(promises.map(clock => clock.dueOn)),
    legalDueOn: earliest(statutes.map(clock => clock.extendedDueOn ?? clock.dueOn)),
  }
}

function placeOf(country?: string, region?: string): string | undefined {
  const place = region ?? country
  if (place !== undefined && !/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(place)) {
    throw new Problem('invalid_request', 'A country or region is named by its ISO 3166 code, such as DE or US-CA.')
  }
  return place
}

function clockOf(regulation: Regulation, receivedOn: Day, holidays: Holidays, ledger: readonly LedgerEntry[]): Clock {
  const { id, title, citation, owes, within, validFrom } = regulation
  const dueOn = endOfFirst(within, receivedOn, holidays)
  const rolled = rollover(regulation, dueOn, holidays)
  const longer = extension(regulation, receivedOn, dueOn, ofKind(ledger, 'extension'))
  // Days are taken out of the period that runs: once it was extended, out of the longer one.
  const runs = longer.extendedDueOn && regulation.extendable ? [regulation.extendable.to] : within
  const waited = standstill({ ...regulation, within: runs }, receivedOn, ofKind(ledger, 'pause'))
  const counted = counting(regulation, receivedOn, dueOn, holidays)
  return {
    ...{ id, title, citation, owes, inForce: validFrom !== 'no date yet', receivedOn, dueOn },
    ...{ ...rolled, ...waited, ...longer },
    steps: [...counted, ...rolled.steps, ...waited.steps, ...longer.steps, ...ofKind(ledger, 'chaser').map(chased)],
  }
}

function counting(
  { citation: rule, within, validFrom, note }: Regulation,
  receivedOn: Day,
  dueOn: Day,
  holidays: Holidays,
): Step[] {
  const ends = within.map(period => `${inWords(period)} after receipt is ${endOf(period, receivedOn, holidays)}`)
  const steps: Step[] = [{ on: dueOn, rule, text: `${ends.join('; ')}${ends.length > 1 ? '; the earlier counts' : ''}.` }]
  if (note) steps.push({ rule, text: note })
  if (validFrom === 'no date yet')
    steps.push({ rule, text: 'Not in force: no day of commencement has been set. Shown for information.' })
  return steps
}

function rollover({ rollsOver: rule }: Regulation, dueOn: Day, holidays: Holidays): { rolledDueOn?: Day; steps: Step[] } {
  if (!rule) return { steps: [] }
  const rolledDueOn = nextWorkingDay(dueOn, holidays)
  if (rolledDueOn === dueOn) return { rolledDueOn, steps: [] }
  const text = `${dueOn} is not a working day; the law would allow ${rolledDueOn}. We do not rely on it.`
  return { rolledDueOn, steps: [{ on: rolledDueOn, rule, text }] }
}

const chased = ({ on }: Chaser): Step => ({
  rule: 'EDPB Guidelines 01/2022 §29',
  text: `Asked about on ${on}: not a new request, the clock runs on.`,
})

const ofKind = <K extends LedgerEntry['kind']>(ledger: readonly LedgerEntry[], kind: K) =>
  ledger.filter((entry): entry is Extract<LedgerEntry, { kind: K }> => entry.kind === kind)
