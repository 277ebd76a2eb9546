import type { Day } from './day.ts'

/** What the controller may be waiting for: an answer which data are meant, who is asking, or a fee. */
export type PauseReason = 'clarification' | 'identity' | 'fee'

/** The person was asked for something on a day, and gave it on another; until then the controller waits. */
export interface Pause {
  kind: 'pause'
  reason: PauseReason
  from: Day
  until?: Day
}

/** The person was told, with the reason, that the answer takes longer. */
export interface Extension {
  kind: 'extension'
  on: Day
  reason: string
}

/** The person asked where the answer stays. */
export interface Chaser {
  kind: 'chaser'
  on: Day
}

/** What happened to a request that bears on time, or might be thought to. */
export type LedgerEntry = Pause | Extension | Chaser

/** One step of a reckoning, for a person to follow: the rule applied, what it says of this case, the day it leads to. */
export interface Step {
  on?: Day
  rule: string
  text: string
}
