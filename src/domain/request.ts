import type { Actor } from './actor.ts'
import type { Day } from './day.ts'
import type { Flag, State } from './lifecycle.ts'
import { REPRESENTATIVES } from './representation.ts'
import type { Right } from './rights.ts'
import type { Withheld } from './withheld.ts'

/** The case: one right exercised by or for one data subject. Who that is stands elsewhere, sealed. */
export interface DsarRequest {
  id: string
  right: Right
  state: State
  flags: Flag[]
  /** Grows by one with every change; what an ETag shows. */
  version: number
  /** When it reached the controller by any channel: the clock runs from here (GDPR Art. 12(3); EDPB Guidelines 01/2022 §159). */
  receivedAt: Date
  createdAt: Date
  /** The last day of the promise made to everybody. */
  dueOn: Day
  /** The last day the law allows, as it stands. */
  legalDueOn: Day
  country: string | null
  /** ISO 3166-2 code, such as 'US-CA'. */
  region: string | null
  locale: string
  timeZone: string
  channel: string
  relationship: Relationship
  openedByKind: Actor['kind'] | 'anonymous'
  /** The caller who opened it. */
  openedBy: string
  scope: { categories?: string[] }
  assuranceNeeded: number
  /** While a freeze asks for more: what will do again when it is over. */
  assuranceUnfrozen: number | null
  assurance: number
  policyVersion: string
  completeness: Completeness | null
  /** Until then it can still be withdrawn; then it is carried out. */
  coolsOffAt: Date | null
  /** The request that this one lifts or replays. */
  parentId: string | null
  closedAt: Date | null
}

/** Whether more has to be shown before a request goes on, in whatever state it is. */
export const awaitsProof = ({ closedAt, assurance, assuranceNeeded }: DsarRequest): boolean =>
  closedAt === null && assurance < assuranceNeeded

/** `reporter` speaks of somebody else, proves nothing and learns nothing. */
export const RELATIONSHIPS = ['self', ...REPRESENTATIVES, 'reporter'] as const
export type Relationship = (typeof RELATIONSHIPS)[number]

/** What was asked, what was answered and what is missing, in figures that anybody may see. */
export interface Completeness {
  /** True only when every dataset asked about was answered in full. */
  complete: boolean
  adaptersAsked: number
  adaptersAnswered: number
  /** Adapters of which people found out what they did not answer; left out when there are none. */
  settledByHand?: number
  /** Datasets that were not delivered in full, and why. */
  missing: { adapter: string; dataset: string; outcome: string; reason: string | null }[]
  /** What was left out for the sake of others, where something was (Art. 15(4), 20(4)). */
  withheld?: (Omit<Withheld, 'says'> & { adapter: string; article: string })[]
}
