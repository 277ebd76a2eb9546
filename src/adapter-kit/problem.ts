/**
 * Something the caller is to be told (RFC 9457). Throw it from any of your functions: 4xx is final and goes to a person,
 * 503 and 429 are tried again after `retryAfter` seconds. `detail` must not hold personal data. Anything else that is
 * thrown is answered with a bare 500, which is tried again, too.
 */
export class TaskProblem extends Error {
  readonly status: number
  readonly code: string
  readonly retryAfter: number | undefined

  constructor(status: number, code: string, detail: string, more: { retryAfter?: number } = {}) {
    super(detail)
    this.name = 'TaskProblem'
    this.status = status
    this.code = code
    this.retryAfter = more.retryAfter
  }
}

/** The body of an `application/problem+json` answer. */
export const problemBody = ({ status, code, message }: TaskProblem) => ({
  type: 'about:blank',
  title: code.replaceAll('_', ' '),
  status,
  code,
  detail: message,
})
