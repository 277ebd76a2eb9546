import type { AuditEvent } from '../audit/events.ts'
import type { Facts } from '../audit/record.ts'
import type { Event } from '../domain/lifecycle.ts'

/** What a service can ask to be told. */
export const WEBHOOK_EVENTS = [
  'request.opened',
  'request.state_changed',
  'request.completed',
  'request.refused',
  'request.lapsed',
  'request.withdrawn',
  'request.cancelled',
  'request.extended',
  'deadline.approaching',
] as const
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]

const MOVED = ['request.state_changed'] as const satisfies WebhookEvent[]

/** As what each event of the life cycle is told to others; as nothing that says who did it, or why. */
const OF_THE_LIFE_CYCLE: Record<Event, readonly WebhookEvent[]> = {
  identification_started: MOVED,
  identity_confirmed: MOVED,
  approved: MOVED,
  cooling_off_started: MOVED,
  cooled_off: MOVED,
  answered: MOVED,
  fulfilment_completed: MOVED,
  carried_out: MOVED,
  package_sealed: MOVED,
  collection_reopened: MOVED,
  handed_over: [...MOVED, 'request.completed'],
  refused: [...MOVED, 'request.refused'],
  verification_lapsed: [...MOVED, 'request.lapsed'],
  withdrawn: [...MOVED, 'request.withdrawn'],
  cancelled: [...MOVED, 'request.cancelled'],
}

/** Whatever else is recorded concerns nobody outside. */
const TOLD_AS: Partial<Record<AuditEvent, readonly WebhookEvent[]>> = {
  ...OF_THE_LIFE_CYCLE,
  opened: ['request.opened'],
  extended: ['request.extended'],
  deadline_alarm: ['deadline.approaching'],
}

/** As which of them an event on the record is told. */
export const toldAs = (event: AuditEvent): readonly WebhookEvent[] => TOLD_AS[event] ?? []

/** What is told beside the state and the days of the request: where it came from, or how near its last day is. */
export function toldOf({ from, level }: Facts): { previousState?: string; level?: string } {
  return { ...(typeof from === 'string' && { previousState: from }), ...(typeof level === 'string' && { level }) }
}
