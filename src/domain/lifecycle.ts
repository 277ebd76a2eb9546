import { Problem } from './problem.ts'

/**
 * The life of a request, as one table: in a given state, each event that may
 * happen and the state it leads to. What the table does not list cannot happen.
 */
const LIFECYCLE = {
  received: { identification_started: 'verifying', withdrawn: 'withdrawn', cancelled: 'cancelled' },
  verifying: {
    identity_confirmed: 'assessing',
    verification_lapsed: 'lapsed',
    refused: 'refused',
    withdrawn: 'withdrawn',
    cancelled: 'cancelled',
  },
  assessing: { approved: 'fulfilling', refused: 'refused', withdrawn: 'withdrawn', cancelled: 'cancelled' },
  fulfilling: { fulfilment_completed: 'packaging', refused: 'refused', withdrawn: 'withdrawn', cancelled: 'cancelled' },
  packaging: {
    package_sealed: 'delivering',
    collection_reopened: 'fulfilling',
    refused: 'refused',
    withdrawn: 'withdrawn',
    cancelled: 'cancelled',
  },
  delivering: { handed_over: 'completed', refused: 'refused', withdrawn: 'withdrawn', cancelled: 'cancelled' },
  completed: {},
  lapsed: {},
  withdrawn: {},
  cancelled: {},
  refused: {},
} as const

export type State = keyof typeof LIFECYCLE
type EventsIn<S> = S extends State ? keyof (typeof LIFECYCLE)[S] : never
export type Event = EventsIn<State>

export const STATES = Object.keys(LIFECYCLE) as State[]

/** Nothing leads out of a terminal state. */
export const isTerminal = (state: State): boolean => Object.keys(LIFECYCLE[state]).length === 0

/** The state an event leads to. @throws Problem `illegal_transition` for an event the table does not list. */
export function nextState(state: State, event: Event): State {
  const next = (LIFECYCLE[state] as Partial<Record<Event, State>>)[event]
  if (!next) throw new Problem('illegal_transition', `'${event}' cannot happen to a request that is '${state}'.`)
  return next
}

/** What asks for a person's eyes beside the state: raised and lowered, never hidden in the state itself. */
export const FLAGS = [
  'not_identified',
  'failed_task',
  'failed_job',
  'quarantined',
  'late_risk',
  'overdue',
  'mail_undeliverable',
  'on_hold',
  'count_mismatch',
] as const
export type Flag = (typeof FLAGS)[number]
