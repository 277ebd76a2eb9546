/**
 * Everything a log line may carry besides its message: ids, names out of our own vocabulary, numbers. What is not
 * listed never gets out, so that a new field is a decision and not an accident. `requestId` is the data-subject
 * request, `reqId` the HTTP request.
 */
export const LOG_FIELDS: ReadonlySet<string> = new Set([
  'adapter',
  'attempt',
  'bytes',
  'caller',
  'check',
  'code',
  'component',
  'count',
  'err',
  'event',
  'flag',
  'job',
  'jobId',
  'method',
  'ms',
  'port',
  'queue',
  'reason',
  'reqId',
  'requestId',
  'role',
  'route',
  'signal',
  'state',
  'status',
  'taskId',
  'version',
])

const LONGEST = 200
const PLAIN_NAME = /^[\w.-]{1,80}$/
const DEEPEST_CAUSE = 3

/** What of an object may be logged: listed fields whose value is plain. Objects are dropped: nobody can tell what is in them. */
export function loggable(fields: object): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (!LOG_FIELDS.has(name)) continue
    if (name === 'err') kept.err = errorFacts(value)
    else if (typeof value === 'string') kept[name] = value.slice(0, LONGEST)
    else if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value
  }
  return kept
}

/**
 * An error without its message, which may quote what somebody sent (a failed cast names the value, a failed query its
 * parameters): its name, its code, the constraint of the database that it broke, and where it was thrown.
 */
function errorFacts(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error }
  const { name, code, constraint } = error as Error & { code?: unknown; constraint?: unknown }
  return {
    name: plainName(name) ?? 'Error',
    code: plainName(code),
    constraint: plainName(constraint),
    at: framesOf(error),
    cause: error.cause === undefined || depth === DEEPEST_CAUSE ? undefined : errorFacts(error.cause, depth + 1),
  }
}

const plainName = (value: unknown): string | undefined =>
  typeof value === 'string' && PLAIN_NAME.test(value) ? value : undefined

/** A stack begins with the message; where it cannot be found and cut off, there are no frames rather than a leak. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message)
  if (start < 0) return []
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter(line => line.startsWith('    at '))
    .map(line => line.slice('    at '.length))
}
