import type { State } from './domain/lifecycle.ts'
import type { Right } from './domain/rights.ts'

/** Every durable job there is, with its payload: identifiers only, never personal data. Handlers live with their capability. */
export interface Jobs {
  'ask-who': { requestId: string }
  'weigh-identity': { requestId: string }
  'send-code': { requestId: string }
  acknowledge: { requestId: string }
  assess: { requestId: string }
  announce: { requestId: string }
  'end-cooling-off': Record<string, never>
  'start-fulfilment': { requestId: string }
  /** A hint, which a process that works tasks off takes itself: they lie in their table, and each worker looks there every second. */
  'dispatch-tasks': Record<string, never>
  'conclude-fulfilment': { requestId: string }
  'build-package': { requestId: string }
  'hand-over': { requestId: string }
  transmit: { requestId: string }
  'look-again': Record<string, never>
  'conclude-round': { requestId: string }
  'chase-forwardings': Record<string, never>
  'close-case': { requestId: string }
  'cancel-promises': { requestId: string }
  'scan-attachment': { attachmentId: string }
  'send-letter': { letterId: string }
  'send-digest': Record<string, never>
  'watch-deadlines': Record<string, never>
  'reserve-missed': Record<string, never>
  'watch-adapters': Record<string, never>
  'tell-owners': Record<string, never>
  'forget-expired': Record<string, never>
}

export type JobName = keyof Jobs
export type RequestJob = { [N in JobName]: Jobs[N] extends { requestId: string } ? N : never }[JobName]

/** The whole pipeline on one page: what a request is owed as soon as it enters a state. */
export const OWED_ON_ENTERING: Record<State, readonly RequestJob[]> = {
  received: [],
  verifying: ['ask-who'],
  assessing: ['acknowledge', 'assess'],
  cooling_off: ['announce'],
  fulfilling: ['start-fulfilment'],
  packaging: ['build-package'],
  delivering: ['hand-over'],
  completed: [],
  refused: ['close-case'],
  lapsed: ['close-case'],
  withdrawn: ['close-case'],
  cancelled: ['close-case'],
}

/** What a task can be, and as which action of the protocol the adapter is asked. */
export const ACTIONS = {
  resolve: 'resolve',
  locate: 'locate',
  collect: 'collect',
  rectify: 'rectify',
  /** Reads what was corrected, and keeps nothing of it. */
  read_back: 'collect',
  erase: 'erase',
  /** Counts what should be gone. */
  confirm_erased: 'locate',
  restrict: 'restrict',
  lift_restriction: 'lift_restriction',
  object: 'object',
  withdraw_consent: 'withdraw_consent',
} as const
export type Action = keyof typeof ACTIONS

/** The actions each right is carried out with, in order; an adapter's next action waits for its previous one. */
export const ACTIONS_OF: Record<Right, readonly Action[]> = {
  access: ['locate', 'collect'],
  portability: ['locate', 'collect'],
  rectification: ['rectify', 'read_back'],
  erasure: ['erase', 'confirm_erased'],
  restriction: ['restrict'],
  objection: ['object'],
  consent_withdrawal: ['withdraw_consent'],
  marketing_opt_out: ['object'],
  automated_decision_review: [],
  under_age_report: ['erase', 'confirm_erased'],
  inquiry: [],
}

/** What is asked of the adapters while a request cools off: what the plan needs to know, and what must not wait. */
export const ACTIONS_WHILE_COOLING: Partial<Record<Right, readonly Action[]>> = {
  erasure: ['locate'],
  under_age_report: ['restrict'],
}

/** What runs by the clock (cron, UTC). */
export const SCHEDULE = {
  'send-digest': '0 7 * * *',
  'watch-deadlines': '* * * * *',
  'reserve-missed': '* * * * *',
  'watch-adapters': '*/5 * * * *',
  'tell-owners': '*/5 * * * *',
  'end-cooling-off': '* * * * *',
  'look-again': '*/5 * * * *',
  'chase-forwardings': '*/5 * * * *',
  'forget-expired': '*/5 * * * *',
} as const satisfies Partial<Record<JobName, string>>

/** Jobs that wait for a disk, a scanner, a mail server, another controller or an adapter, of which a worker does several at a time. The others are moments in the database. */
export const LENGTHY: ReadonlySet<JobName> = new Set([
  'build-package',
  'cancel-promises',
  'scan-attachment',
  'send-letter',
  'transmit',
])

/** What a worker knows how to do once for a request. Kept as a record so that the compiler names a job nobody handles. */
const ALL: Record<JobName, true> = {
  'ask-who': true,
  'weigh-identity': true,
  'send-code': true,
  acknowledge: true,
  assess: true,
  announce: true,
  'end-cooling-off': true,
  'start-fulfilment': true,
  'dispatch-tasks': true,
  'conclude-fulfilment': true,
  'build-package': true,
  'hand-over': true,
  transmit: true,
  'look-again': true,
  'conclude-round': true,
  'chase-forwardings': true,
  'close-case': true,
  'cancel-promises': true,
  'scan-attachment': true,
  'send-letter': true,
  'send-digest': true,
  'watch-deadlines': true,
  'reserve-missed': true,
  'watch-adapters': true,
  'tell-owners': true,
  'forget-expired': true,
}
export const JOB_NAMES = Object.keys(ALL) as JobName[]
