import type { AlarmLevel } from '../../domain/alarms.ts'
import type { Day } from '../../domain/day.ts'
import type { Flag, State } from '../../domain/lifecycle.ts'
import type { Right } from '../../domain/rights.ts'
import type { CancelReason } from '../../requests/close-request.ts'

/** What every letter says. */
interface Common {
  /** The id of the request. */
  reference: string
  /** How the privacy officer is reached. */
  officer: string
  name?: string
}

/** Every letter there is, with what it says. Plain JSON, for a letter waits sealed in the outbox. */
export interface LetterValues {
  /** Asks who is asking: the typed code is the answer. */
  'identity-code': Common & { code: string; minutes: number; right: Right }
  'download-code': Common & { code: string; minutes: number }
  /** `promisedOn` is the last day of the promise, not of the law. */
  acknowledgment: Common & { right: Right; receivedOn: Day; promisedOn: Day }
  /** `link` is below this service's public address; `expiresAt` is an ISO 8601 instant, told in the reader's IANA zone. */
  ready: Common & { link: string; expiresAt: string; timeZone: string; uses: number }
  lapsed: Common
  withdrawn: Common
  cancelled: Common & { reason: CancelReason }
  /** To the privacy officer. */
  'deadline-alarm': Common & { right: Right; level: AlarmLevel; dueOn: Day; state: State; flags: readonly Flag[] }
}

export type LetterName = keyof LetterValues
