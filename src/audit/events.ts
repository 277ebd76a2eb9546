import type { Event } from '../domain/lifecycle.ts'

/** What an event is to those who read the record. */
type Nature =
  /** It settles what becomes of a request, or how long it takes. */
  | 'decision'
  /** The same, as long as staff only think of it; nobody else is shown it. */
  | 'deliberation'
  /** What was done about it. */
  | 'step'

const OF_THE_LIFE_CYCLE: Record<Event, Nature> = {
  identification_started: 'step',
  identity_confirmed: 'step',
  verification_lapsed: 'decision',
  approved: 'decision',
  cooling_off_started: 'decision',
  cooled_off: 'step',
  answered: 'decision',
  refused: 'decision',
  withdrawn: 'decision',
  cancelled: 'decision',
  fulfilment_completed: 'step',
  carried_out: 'step',
  package_sealed: 'step',
  collection_reopened: 'step',
  handed_over: 'step',
}

/**
 * Every event that the record can have, and its nature. Nothing can be recorded that is not in here, and so nobody can record a
 * decision that the evidence of a request leaves out, nor a deliberation that is shown to others than staff.
 */
const NATURES = {
  ...OF_THE_LIFE_CYCLE,

  opened: 'step',
  flag_raised: 'step',
  flag_lowered: 'step',
  challenge_sent: 'step',
  code_refused: 'step',
  proof_accepted: 'step',
  support_check_proposed: 'deliberation',
  support_check_rejected: 'deliberation',
  person_held_back: 'decision',
  mandate_proposed: 'deliberation',
  mandate_approved: 'decision',
  mandate_refused: 'decision',
  mandate_revoked: 'decision',
  requester_reached: 'step',
  delivery_allowed: 'decision',
  repudiated: 'decision',
  repudiation_refused: 'step',
  repudiation_reviewed: 'decision',
  frozen: 'step',
  thawed: 'step',
  contact_changed: 'step',
  message_written: 'step',
  attachment_taken: 'step',
  attachment_clean: 'step',
  attachment_refused: 'decision',
  attachments_destroyed: 'step',
  letter_sent: 'step',
  letter_refused: 'step',
  told_otherwise: 'decision',
  deadline_alarm: 'step',
  chased: 'step',
  job_given_up: 'step',

  decision_proposed: 'deliberation',
  decision_approved: 'deliberation',
  proposal_superseded: 'deliberation',
  marketing_split_off: 'decision',
  refused_partly: 'decision',
  fee_announced: 'decision',
  extended: 'decision',
  pause_proposed: 'deliberation',
  paused: 'decision',
  pause_answered: 'decision',

  adapters_asked: 'step',
  erasure_order_ignored: 'step',
  called_back: 'step',
  called_back_late: 'step',
  answer_contradicted: 'step',
  task_ready: 'step',
  task_accepted: 'step',
  task_done: 'step',
  task_failed: 'step',
  task_quarantined: 'step',
  task_retried: 'step',
  task_settled_by_hand: 'decision',
  promise_cancelled: 'step',
  recipients_listed: 'step',
  recipients_told: 'step',
  recipient_settled: 'decision',
  forwarded: 'decision',
  forwarding_fetched: 'step',
  forwarding_acknowledged: 'step',
  forwarding_answered: 'step',
  forwarding_chased: 'step',

  transmission_begun: 'step',
  transmission_tried: 'step',
  transmission_delayed: 'step',
  transmission_stopped: 'step',
  transmission_delivered: 'step',
  transmission_refused: 'decision',
  transmission_failed: 'decision',
  transmission_dropped: 'step',

  link_issued: 'step',
  download_granted: 'step',
  package_revoked: 'decision',
  package_destroyed: 'step',
  collected_data_destroyed: 'step',
  evidence_taken: 'step',
  person_forgotten: 'step',

  looked_again: 'step',
  erasure_confirmed_again: 'step',
  erasure_not_confirmed: 'step',
  leftovers_due: 'step',
  leftovers_erased: 'step',
  erasure_replayed: 'step',
  restore_started: 'decision',
  restore_concluded: 'step',

  consent_given_anew: 'decision',

  hold_proposed: 'decision',
  hold_approved: 'decision',
  release_proposed: 'deliberation',
  hold_released: 'decision',

  act_proposed: 'deliberation',
  act_countersigned: 'deliberation',

  break_glass_proposed: 'deliberation',
  break_glass_approved: 'decision',
  contents_viewed: 'step',

  vip_listed: 'step',
  vip_removal_proposed: 'deliberation',
  vip_removed: 'step',
  viewing_budget_spent: 'step',

  webhook_created: 'step',
  webhook_changed: 'step',
  webhook_secret_replaced: 'step',
  webhook_disabled: 'step',
  webhook_failing: 'step',
  webhook_replayed: 'step',
  webhook_removed: 'step',
  answer_delivered: 'step',
  answer_approved: 'decision',

  adapter_registered: 'step',
  adapter_changed: 'step',
  adapter_checked: 'step',
  adapter_approved: 'decision',
  adapter_suspended: 'step',
  adapter_resumed: 'step',
  adapter_removed: 'step',
  lateness_expected: 'step',
} as const satisfies Record<string, Nature>

export type AuditEvent = keyof typeof NATURES

const natureOf = new Map<string, Nature>(Object.entries(NATURES))

/** Also of what another version of the service has recorded. */
export const isDecision = (event: string): boolean => natureOf.get(event) !== 'step'
export const isAmongStaff = (event: string): boolean => (natureOf.get(event) ?? 'deliberation') === 'deliberation'
