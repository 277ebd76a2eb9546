/**
 * Everything that can go wrong on purpose. One line per problem: its stable
 * code (part of the public API), its HTTP status, and what to tell the caller.
 * Anything thrown that is not a Problem is a bug and is answered with a bare 500.
 */
export const CATALOGUE = {
  invalid_request: [400, 'The request does not have the form this operation takes.'],
  not_authenticated: [401, 'A valid bearer token is needed.'],
  proof_refused: [401, 'The proof was not accepted.'],
  not_allowed: [403, 'This caller may not do this.'],
  work_needed: [403, 'Codes are being guessed at. Do the work of GET /v1/work and send the result in DSAR-Work.'],
  second_person_needed: [403, 'Somebody else than who proposed it has to approve it.'],
  step_up_required: [403, 'A stronger or fresher proof of identity is needed.'],
  not_found: [404, 'There is no such thing here.'],
  method_not_allowed: [405, 'This address does not take that method.'],
  illegal_transition: [409, 'The request is not in a state that allows this.'],
  in_progress: [409, 'The same call is still being worked on; try again shortly.'],
  already_exists: [409, 'There is one already.'],
  token_used: [409, 'This token has done this once already; come with a new one.'],
  out_of_time: [409, 'The law gives time for this, and it is over.'],
  in_use: [409, 'Open work depends on it.'],
  gone: [410, 'This was here and no longer is.'],
  stale: [412, 'It was changed meanwhile; read it again.'],
  too_large: [413, 'The body is too large.'],
  unsupported_media_type: [415, 'Send application/json.'],
  range_not_satisfiable: [416, 'That range is not in the file.'],
  key_reused: [422, 'This Idempotency-Key was used with another body.'],
  unprocessable: [422, 'The request is well formed but cannot be carried out as it stands.'],
  address_refused: [422, 'This address may not be called from here.'],
  manifest_refused: [422, 'The adapter did not give a manifest that can be used.'],
  precondition_required: [428, 'Say in If-Match which version you have read.'],
  too_many_requests: [429, 'Too many calls; wait before the next.'],
  internal: [500, 'Something went wrong here. It has been recorded.'],
  unavailable: [503, 'This cannot be answered right now; try again shortly.'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemCode = keyof typeof CATALOGUE

/** One thing wrong with one place of the input: an RFC 6901 pointer into it and what is wrong there. */
export interface Fault {
  pointer: string
  detail: string
}

/** Something the caller can act on (RFC 9457). `detail` and `errors` are safe to show: ids, states and rules, never personal data. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  readonly errors: readonly Fault[]
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined

  constructor(code: ProblemCode, detail?: string, more: { errors?: readonly Fault[]; retryAfter?: number } = {}) {
    super(detail ? `${code}: ${detail}` : code)
    this.name = 'Problem'
    this.code = code
    ;[this.status, this.title] = CATALOGUE[code]
    this.detail = detail
    this.errors = more.errors ?? []
    this.retryAfter = more.retryAfter
  }
}
