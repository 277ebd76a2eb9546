import type { Dataset, Manifest, TaskCall } from '../adapters/protocol.ts'
import type { ActionName } from './probe.ts'

export const EFFECTS = [
  'rectify',
  'erase',
  'restrict',
  'lift_restriction',
  'object',
  'withdraw_consent',
] as const satisfies ActionName[]

const purposesOf = (datasets: readonly Dataset[]): string[] => [...new Set(datasets.flatMap(({ purposes }) => purposes))]

/** What an action has to be told to concern as much of this adapter as it can. For a correction there is nothing to say without a record. */
export function parametersFor({ datasets }: Manifest, action: Exclude<ActionName, 'rectify'>): TaskCall['parameters'] {
  if (action === 'erase') return { ground: '17_1_a' }
  if (action === 'restrict') return { ground: '18_1_a' }
  if (action === 'object') return { purposes: purposesOf(datasets), ground: '21_1' }
  if (action !== 'withdraw_consent') return {}
  const consented = datasets.filter(({ legalBases }) => legalBases.includes('consent'))
  return { purposes: purposesOf(consented.length > 0 ? consented : datasets), cookies: [] }
}
