import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isWorkingDay } from '../../src/domain/calendar.ts'
import { type Clock, type ClocksInput, computeClocks, deadlines } from '../../src/domain/clocks.ts'
import { addDays, addMonths, type Day, dayIn } from '../../src/domain/day.ts'
import { canExtend } from '../../src/domain/extension.ts'
import type { LedgerEntry, Pause } from '../../src/domain/ledger.ts'

const RUNS = { numRuns: 1000 }
const ZONES = ['Europe/Berlin', 'Asia/Colombo', 'America/Los_Angeles', 'Pacific/Kiritimati']

/** What happens to a request, in days from its receipt. */
const offset = fc.integer({ min: -2, max: 100 })
const pause = fc.record({
  kind: fc.constant('pause' as const),
  reason: fc.constantFrom('clarification' as const, 'identity' as const, 'fee' as const),
  from: offset,
  length: fc.option(fc.integer({ min: 0, max: 40 }), { freq: 8 }),
})
const extension = fc.record({ kind: fc.constant('extension' as const), on: offset })
const chaser = fc.record({ kind: fc.constant('chaser' as const), on: offset })
type Happening =
  | { kind: 'pause'; reason: Pause['reason']; from: number; length: number | null }
  | { kind: 'extension' | 'chaser'; on: number }

function entry(happening: Happening, receivedOn: Day): LedgerEntry {
  if (happening.kind === 'pause') {
    const { kind, reason, length } = happening
    const from = addDays(receivedOn, happening.from)
    return { kind, reason, from, ...(length !== null && { until: addDays(from, length) }) }
  }
  const on = addDays(receivedOn, happening.on)
  return happening.kind === 'chaser' ? { kind: 'chaser', on } : { kind: 'extension', on, reason: 'volume_of_data' }
}

const receivedAt = fc.date({ min: new Date('2025-01-01'), max: new Date('2029-01-01'), noInvalidDate: true })
const holidays = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 20 })
const requests: fc.Arbitrary<ClocksInput> = fc
  .record({
    receivedAt,
    timeZones: fc.subarray(ZONES, { minLength: 1, maxLength: 2 }),
    country: fc.constantFrom('DE', 'GB', 'US-CA', 'BR', 'LK'),
    holidays,
    happenings: fc.array(fc.oneof<fc.Arbitrary<Happening>[]>(pause, extension, chaser), { maxLength: 5 }),
  })
  .map(({ happenings, holidays: offsets, country, ...rest }) => {
    const receivedOn = dayIn(rest.receivedAt, 'UTC')
    return {
      ...rest,
      country,
      holidays: { [country]: offsets.map(count => addDays(receivedOn, count)) },
      ledger: happenings.map(happening => entry(happening, receivedOn)),
    }
  })

const withoutSteps = (clocks: readonly Clock[]) => clocks.map(({ steps: _, ...dates }) => dates)
const always = (holds: (request: ClocksInput, clocks: Clock[]) => void) =>
  fc.assert(
    fc.property(requests, request => holds(request, computeClocks(request))),
    RUNS,
  )

describe('whatever happens to a request', () => {
  test('the promise is the earlier of thirty days and one month, and never later than the month of the GDPR', () => {
    always((_, clocks) => {
      const [promise, gdpr] = clocks
      if (promise?.id !== 'promise' || gdpr?.id !== 'eu_gdpr') throw new Error('these two come first')
      const [days, month] = [addDays(promise.receivedOn, 30), addMonths(promise.receivedOn, 1)]
      expect(promise.dueOn).toBe(days < month ? days : month)
      expect(promise.dueOn <= gdpr.dueOn).toBe(true)
      expect(deadlines(clocks).dueOn).toBe(promise.dueOn)
    })
  })

  test('no zone shows an earlier day than the day of receipt, and one shows just that', () => {
    always(({ receivedAt, timeZones }, clocks) => {
      const shown = timeZones.map(zone => dayIn(receivedAt, zone))
      for (const { receivedOn } of clocks) {
        expect(shown).toContain(receivedOn)
        expect(shown.every(day => receivedOn <= day)).toBe(true)
      }
    })
  })

  test('waiting and extending never make a date earlier, and never touch the strict one', () => {
    always((request, clocks) => {
      const strict = computeClocks({ ...request, ledger: [] })
      clocks.forEach((clock, i) => {
        expect(clock.dueOn).toBe(strict[i]?.dueOn)
        for (const later of [clock.pausedDueOn, clock.rolledDueOn, clock.extendedDueOn]) {
          if (later) expect(later >= clock.dueOn).toBe(true)
        }
        expect(clock.startsOn >= clock.receivedOn).toBe(true)
      })
      expect(deadlines(clocks).legalDueOn >= deadlines(strict).legalDueOn).toBe(true)
    })
  })

  test('one more question to the person never makes a European date earlier', () => {
    fc.assert(
      fc.property(requests, pause, (request, more) => {
        const asked = entry({ ...more, length: more.length ?? 0 }, dayIn(request.receivedAt, 'UTC'))
        const due = (ledger: readonly LedgerEntry[]) => computeClocks({ ...request, ledger }).find(({ id }) => id === 'eu_gdpr')
        const [before, after] = [due(request.ledger), due([...request.ledger, asked])]
        if (!before || !after) throw new Error('the GDPR is for everyone')
        if (before.pausedSince || after.pausedSince) return
        expect((after.pausedDueOn ?? after.dueOn) >= (before.pausedDueOn ?? before.dueOn)).toBe(true)
      }),
      RUNS,
    )
  })

  test('an extension counts from receipt, only if announced in time, and only once', () => {
    always((request, clocks) => {
      const fresh = computeClocks({ ...request, ledger: [] })
      const announced = request.ledger.flatMap(each => (each.kind === 'extension' ? [each.on] : []))
      clocks.forEach((clock, i) => {
        const unextended = fresh[i]
        expect(clock.extendedDueOn !== undefined).toBe(announced.some(on => unextended && canExtend(unextended, on)))
        if (!clock.extendedDueOn) return
        expect(announced.some(on => canExtend(clock, on))).toBe(false)
        if (clock.id.endsWith('gdpr')) expect(clock.extendedDueOn).toBe(addMonths(clock.receivedOn, 3))
      })
    })
  })

  test('a chaser changes no date', () => {
    fc.assert(
      fc.property(requests, chaser, (request, more) => {
        const ledger = [...request.ledger, entry(more, dayIn(request.receivedAt, 'UTC'))]
        expect(withoutSteps(computeClocks({ ...request, ledger }))).toEqual(withoutSteps(computeClocks(request)))
      }),
      RUNS,
    )
  })

  test('the order in which the ledger is read changes no date', () => {
    always((request, clocks) => {
      const reversed = computeClocks({ ...request, ledger: request.ledger.toReversed() })
      expect(withoutSteps(reversed)).toEqual(withoutSteps(clocks))
    })
  })

  test('a later receipt is never due earlier', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 0, max: 100 * 86_400_000 }), (request, later) => {
        const first = computeClocks({ ...request, ledger: [] })
        const second = computeClocks({ ...request, ledger: [], receivedAt: new Date(request.receivedAt.getTime() + later) })
        for (const { id, dueOn, rolledDueOn, extendableTo } of first) {
          const other = second.find(clock => clock.id === id)
          if (!other) throw new Error('no law ends without a successor')
          expect(other.dueOn >= dueOn).toBe(true)
          if (rolledDueOn && other.rolledDueOn) expect(other.rolledDueOn >= rolledDueOn).toBe(true)
          if (extendableTo && other.extendableTo) expect(other.extendableTo >= extendableTo).toBe(true)
        }
      }),
      RUNS,
    )
  })

  test('a due day moved past holidays is the next working day', () => {
    always(({ country = '', holidays = {} }, clocks) => {
      const closed = new Set(holidays[country])
      for (const { dueOn, rolledDueOn } of clocks) {
        if (!rolledDueOn) continue
        expect(isWorkingDay(rolledDueOn, closed)).toBe(true)
        for (let day = dueOn; day < rolledDueOn; day = addDays(day, 1)) expect(isWorkingDay(day, closed)).toBe(false)
      }
    })
  })

  test('every step cites a rule', () => {
    always((_, clocks) => {
      for (const { steps } of clocks) {
        expect(steps.length).toBeGreaterThan(1)
        expect(steps.every(({ rule, text }) => rule !== '' && text !== '')).toBe(true)
      }
    })
  })
})
