import type { Day } from './day.ts'
import type { Evidence, MandateRefusal, Voice } from './representation.ts'
import type { Right } from './rights.ts'

/** Where the answer goes: to the data subject, to whoever acts for them, or to the latter if the subject says so. */
export type Delivery = 'subject' | 'subject_may_allow' | 'requester'

/** Somebody's power to act for a data subject in one request: the hash of the document that was seen, and what two people decided. */
export interface Mandate {
  id: string
  requestId: string
  evidence: Evidence
  /** SHA-256, in hex. */
  documentSha256: string
  seenOn: Day
  /** The last day it is valid; null where it has no end. */
  validUntil: Day | null
  /** Null for every right. */
  covers: Right[] | null
  voice: Voice
  delivery: Delivery
  /** Of the file in which the document lies. Null once the person was forgotten. */
  reference: string | null
  proposedBy: string
  proposedAt: Date
  decision: 'approved' | 'refused' | null
  reason: MandateRefusal | null
  decidedBy: string | null
  decidedAt: Date | null
  /** Who took it back, and when: from then on it gives no power. */
  revokedBy: string | null
  revokedAt: Date | null
}
