import { Problem } from './problem.ts'
import { isPackaged, type Right } from './rights.ts'

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
  assessing: {
    approved: 'fulfilling',
    cooling_off_started: 'cooling_off',
    answered: 'delivering',
    refused: 'refused',
    withdrawn: 'withdrawn',
    cancelled: 'cancelled',
  },
  cooling_off: { cooled_off: 'fulfilling', refused: 'refused', withdrawn: 'withdrawn', cancelled: 'cancelled' },
  fulfilling: {
    fulfilment_completed: 'packaging',
    carried_out: 'delivering',
    refused: 'refused',
    withdrawn: 'withdrawn',
    cancelled: 'cancelled',
  },
  packaging: {
    package_sealed: 'delivering',
    collection_reopened: 'fulfilling',
    refused: 'refused',
    withdrawn: 'withdrawn',
    cancelled: 'cancelled',
  },
  delivering: { handed_over: 'completed', refused: 'refused', withdrawn: 'withdrawn', cancelled: 'cancelled' },
  completed: {},
  refused: {},
  lapsed: {},
  withdrawn: {},
  cancelled: {},
} as const

export type State = keyof typeof LIFECYCLE
type EventsIn<S> = S extends State ? keyof (typeof LIFECYCLE)[S] : never
export type Event = EventsIn<State>

export const STATES = Object.keys(LIFECYCLE) as State[]

/** Nothing leads out of a terminal state. */
export const isTerminal = (state: State): boolean => Object.keys(LIFECYCLE[state]).length === 0

/** Ends without an answer to what was asked. */
const TURNING_BACK: ReadonlySet<Event> = new Set(['refused', 'withdrawn', 'cancelled'])
const CARRYING_OUT: ReadonlySet<State> = new Set(['fulfilling', 'delivering'])

/**
 * Whether what was asked is being carried out and cannot be taken back: data are being changed or gone. A copy of data changes
 * nothing, so there is no such point until it has been handed over; and that a record is not as a correction says shows only when
 * it is asked for, so that one can be refused until then.
 */
const isPastReturn = (state: State, event: Event, right: Right): boolean =>
  !isPackaged(right) && CARRYING_OUT.has(state) && !(right === 'rectification' && event === 'refused' && state === 'fulfilling')

/** Whether what will come of a request is still ahead, so that it can be told before anything is done. */
export const isForeseeable = (state: State, right: Right): boolean =>
  !isTerminal(state) && state !== 'delivering' && (state !== 'fulfilling' || isPackaged(right))

/** Whether a request can still be stopped, whatever it would be called. */
export const isStoppable = (state: State, right: Right): boolean => !isTerminal(state) && !isPastReturn(state, 'cancelled', right)

/** The state an event leads to. @throws Problem `illegal_transition` for what the table does not list, and for turning back too late. */
export function nextState(state: State, event: Event, right: Right): State {
  const next = (LIFECYCLE[state] as Partial<Record<Event, State>>)[event]
  if (!next) throw new Problem('illegal_transition', `'${event}' cannot happen to a request that is '${state}'.`)
  if (TURNING_BACK.has(event) && isPastReturn(state, event, right))
    throw new Problem('illegal_transition', 'It is being carried out: this is past the point of no return.')
  return next
}

/** What asks for a person's eyes beside the state: raised and lowered, never hidden in the state itself. */
export const FLAGS = [
  'not_identified',
  'mandate_needed',
  'needs_decision',
  'failed_task',
  'failed_job',
  'quarantined',
  'late_risk',
  'overdue',
  'mail_undeliverable',
  'on_hold',
  'count_mismatch',
  'unconfirmed_erasure',
  'forwarding_unanswered',
  'vip',
  'staff_subject',
  'contact_changed',
  'frozen',
  'repudiated',
] as const
export type Flag = (typeof FLAGS)[number]

/** What keeps a case for officers alone: it is about somebody whom others would like to look up. It stays as long as the case. */
export const RESERVED = ['vip', 'staff_subject'] as const satisfies readonly Flag[]
