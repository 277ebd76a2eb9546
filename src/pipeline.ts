import type { State } from './domain/lifecycle.ts'
import type { Right } from './domain/rights.ts'

/** Every durable job there is, with its payload: identifiers only, never personal data. Handlers live with their capability. */
export interface Jobs {
  'ask-who': { requestId: string }
  'weigh-identity': { requestId: string }
  'send-code': { requestId: string }
  acknowledge: { requestId: string }
  assess: { requestId: string }
  'start-fulfilment': { requestId: string }
  'dispatch-tasks': Record<string, never>
  'conclude-fulfilment': { requestId: string }
  'build-package': { requestId: string }
  'hand-over': { requestId: string }
  'close-case': { requestId: string }
  'send-letter': { letterId: string }
  'send-digest': Record<string, never>
  'watch-deadlines': Record<string, never>
  'forget-expired': Record<string, never>
}

export type JobName = keyof Jobs
export type RequestJob = { [N in JobName]: Jobs[N] extends { requestId: string } ? N : never }[JobName]

/** The whole pipeline on one page: what a request is owed as soon as it enters a state. */
export const OWED_ON_ENTERING: Record<State, readonly RequestJob[]> = {
  received: [],
  verifying: ['ask-who'],
  assessing: ['acknowledge', 'assess'],
  fulfilling: ['start-fulfilment'],
  packaging: ['build-package'],
  delivering: ['hand-over'],
  completed: [],
  lapsed: ['close-case'],
  withdrawn: ['close-case'],
  cancelled: ['close-case'],
  refused: ['close-case'],
}

/** What is owed once every task of an action has been answered. */
export const OWED_WHEN_ANSWERED = {
  resolve: 'weigh-identity',
  locate: undefined,
  collect: 'conclude-fulfilment',
} as const satisfies Record<string, RequestJob | undefined>

/** What an adapter can be asked to do today. */
export type Action = keyof typeof OWED_WHEN_ANSWERED

/** The actions each right is carried out with, in order; an adapter's next action waits for its previous one. */
export const ACTIONS_OF: Record<Right, readonly Action[]> = {
  access: ['locate', 'collect'],
  portability: ['locate', 'collect'],
}

/** What runs by the clock (cron, UTC). */
export const SCHEDULE = {
  'send-digest': '0 7 * * *',
  'watch-deadlines': '* * * * *',
  'forget-expired': '*/5 * * * *',
} as const satisfies Partial<Record<JobName, string>>

/** Jobs that wait for a disk or a mail server, of which a worker does several at a time. The others are moments in the database. */
export const LENGTHY: ReadonlySet<JobName> = new Set(['build-package', 'send-letter'])

/** What a worker knows how to do once for a request. Kept as a record so that the compiler names a job nobody handles. */
const ALL: Record<JobName, true> = {
  'ask-who': true,
  'weigh-identity': true,
  'send-code': true,
  acknowledge: true,
  assess: true,
  'start-fulfilment': true,
  'dispatch-tasks': true,
  'conclude-fulfilment': true,
  'build-package': true,
  'hand-over': true,
  'close-case': true,
  'send-letter': true,
  'send-digest': true,
  'watch-deadlines': true,
  'forget-expired': true,
}
export const JOB_NAMES = Object.keys(ALL) as JobName[]
