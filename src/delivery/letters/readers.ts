import type { LetterName } from './letters.ts'

/**
 * What the law has a person told of what became of their request. Where no mail reaches them it is kept, for an officer to post it on paper
 * or read it out. Nothing here opens or proves anything.
 */
export const TO_BE_TOLD: ReadonlySet<LetterName> = new Set<LetterName>([
  ...([
    'refusal',
    'partial-refusal',
    'extension',
    'answered',
    'erased',
    'restricted',
    'restriction-lifted',
    'under-age-lifted',
  ] as const),
  ...(['rectified', 'objection-decided', 'consent-receipt', 'opted-out', 'forwarded'] as const),
])

export type Reader = 'person' | 'requester' | 'reporter' | 'officer' | 'controller'

/** Letters for others than whom the request is about and whoever it is answered to. */
export const READER_OF: Partial<Record<LetterName, Reader>> = {
  'requester-code': 'requester',
  'mandate-refused': 'requester',
  'report-received': 'reporter',
  forwarding: 'controller',
  'forwarding-reminder': 'controller',
  'deadline-alarm': 'officer',
  'forwarding-alarm': 'officer',
  'message-arrived': 'officer',
  repudiated: 'officer',
  'erasure-undone': 'officer',
  guessing: 'officer',
  'budget-spent': 'officer',
  'daily-digest': 'officer',
}
