/** What can be wrong with an adapter's answer, and whether asking again may help or a person has to look. */
const RETRYABLE = {
  busy: true,
  server_error: true,
  cut: true,
  count_mismatch: true,
  file_unavailable: true,
  redirected: false,
  unexpected_status: false,
  refused: false,
  unexpected_media_type: false,
  location_refused: false,
  file_refused: false,
  not_json: false,
  not_valid: false,
  too_deep: false,
  too_large: false,
  task_mismatch: false,
  dataset_missing: false,
  dataset_unknown: false,
  dataset_repeated: false,
  outcome_contradicted: false,
  retention_unexplained: false,
  recipient_repeated: false,
} as const

export type FaultCode = keyof typeof RETRYABLE

/** A fault on the adapter's side. `detail` says where, in our words: never a word of what the adapter sent. */
export class AdapterFault extends Error {
  readonly code: FaultCode
  readonly detail: string
  readonly retryable: boolean

  constructor(code: FaultCode, detail: string) {
    super(`${code}: ${detail}`)
    this.name = 'AdapterFault'
    this.code = code
    this.detail = detail
    this.retryable = RETRYABLE[code]
  }
}
