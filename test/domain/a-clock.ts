import { type Clock, type ClocksInput, computeClocks } from '../../src/domain/clocks.ts'
import type { Day } from '../../src/domain/day.ts'
import type { LedgerEntry } from '../../src/domain/ledger.ts'

export function clocksFor(receivedOn: Day, more: Partial<ClocksInput> = {}): Clock[] {
  return computeClocks({ receivedAt: new Date(`${receivedOn}T12:00:00Z`), timeZones: ['UTC'], ledger: [], ...more })
}

export function clock(id: Clock['id'], receivedOn: Day, more: Partial<ClocksInput> = {}): Clock {
  const found = clocksFor(receivedOn, more).find(each => each.id === id)
  if (!found) throw new Error(`no clock ${id}`)
  return found
}

export const asked = (reason: 'clarification' | 'identity' | 'fee', from: Day, until?: Day): LedgerEntry =>
  until ? { kind: 'pause', reason, from, until } : { kind: 'pause', reason, from }
export const announced = (on: Day): LedgerEntry => ({ kind: 'extension', on, reason: 'scattered_sources' })
export const words = (clock: Clock) => clock.steps.map(step => step.text).join('\n')
